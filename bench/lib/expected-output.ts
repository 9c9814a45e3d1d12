import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InProcessSession } from './in-process-session.js';
import type { BenchModel } from './models.js';
import { owning } from './owning.js';
import { benchBuild } from './paths.js';
import { inputRow } from './requests.js';

/** What onnxruntime-node gives for the row of prepared requests; kept in build/bench. */
export async function expectedOutput(model: BenchModel): Promise<Float32Array> {
  const folder = join(benchBuild, 'outputs');
  const path = join(folder, `${model.name}.f32`);
  if (existsSync(path)) return new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
  const output = await owning(async (own) => {
    const session = await own(InProcessSession.create(model));
    return session.infer(inputRow(model));
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.part`, new Uint8Array(output.buffer));
  renameSync(`${path}.part`, path);
  return output;
}
