import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { neededLibraries, type LibrarySearch, type NeededLibrary } from './shared-libraries.js';

export const CUDA_PROVIDER = 'libonnxruntime_providers_cuda.so';

/** ONNX Runtime's CUDA provider, a library that lies beside ONNX Runtime itself. */
export interface CudaProvider {
  path: string;
  /** Nothing where the file is not there. */
  libraries?: readonly NeededLibrary[];
  /** Why the file cannot be read. */
  problem?: string;
}

/** Looks at the provider that belongs to an ONNX Runtime library. Never rejects. */
export async function readCudaProvider(
  onnxRuntime: string,
  search: LibrarySearch,
): Promise<CudaProvider> {
  const path = join(dirname(onnxRuntime), CUDA_PROVIDER);
  if (!existsSync(path)) return { path };
  try {
    return { path, libraries: await neededLibraries(path, search) };
  } catch (error) {
    return { path, problem: (error as Error).message };
  }
}
