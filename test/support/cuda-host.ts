import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCudaRuntime, buildCudaStandin } from './cuda-standin.js';
import { fakeNvidiaSmi } from './fake-nvidia-smi.js';
import { writeProviders } from './made-up-package.js';

/** A host with two GPUs on which everything of CUDA works, as stand-ins for its libraries do. */
export interface CudaHost {
  /** NVIDIA's driver. */
  driver: string;
  /** ONNX Runtime. */
  library: string;
  /** Of a daemon there. */
  environment: NodeJS.ProcessEnv;
  remove: () => Promise<void>;
}

export async function buildCudaHost(): Promise<CudaHost> {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-cuda-host-'));
  const driver = join(folder, 'libcuda.so.1');
  const library = join(folder, 'libonnxruntime.so.1');
  const standin = await buildCudaStandin();
  await copyFile(standin.path, driver);
  await standin.remove();
  await buildCudaRuntime(library);
  writeProviders(folder, { isWhole: true });
  const gpus = [0, 1].map((gpu) => `${gpu}, Stand-in ${gpu}, GPU-${gpu}, 8192, 8000, 580.65.06`);
  const environment = {
    PATH: await fakeNvidiaSmi(folder, gpus),
    LD_LIBRARY_PATH: folder,
    CUDA_VISIBLE_DEVICES: '0,1',
  };
  return { driver, library, environment, remove: () => rm(folder, { recursive: true }) };
}
