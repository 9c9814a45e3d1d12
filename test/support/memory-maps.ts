import { readFile } from 'node:fs/promises';

/** How many model files a process maps: one for each version that it has loaded. */
export async function mappedModels(pid: number): Promise<number> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  return maps.split('\n').filter((line) => line.endsWith('/model.onnx')).length;
}

/** Whether a process maps a file whose path contains `part`. */
export async function mapsFile(pid: number, part: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8')).includes(part);
}
