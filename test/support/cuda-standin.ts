import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundledLibraryPath } from '../../src/native/binding.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A stand-in for a library of NVIDIA's (test/native/standin), in a folder of its own. */
export interface CudaStandin {
  path: string;
  remove: () => Promise<void>;
}

/** For the driver's library. */
export async function buildCudaStandin(): Promise<CudaStandin> {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-standin-'));
  const path = join(folder, 'libcuda-standin.so');
  await compile('fake_cuda_driver.cc', path);
  return { path, remove: () => rm(folder, { recursive: true }) };
}

/** Compiles, to `path`, an ONNX Runtime that runs on the processor what is to run on a GPU. */
export async function buildCudaRuntime(path: string): Promise<void> {
  const cache = await readFile(join(PROJECT, 'build/CMakeCache.txt'), 'utf8');
  const headers = /^ONNXRUNTIME_INCLUDE_DIR:\w+=(.+)$/m.exec(cache)?.[1];
  if (headers === undefined) throw new Error('the addon was built without headers');
  const shipped = `-DSTANDIN_ONNXRUNTIME="${bundledLibraryPath()}"`;
  await compile('fake_cuda_runtime.cc', path, [`-I${headers}`, shipped]);
}

async function compile(source: string, to: string, more: readonly string[] = []): Promise<void> {
  const path = join(PROJECT, 'test/native/standin', source);
  const includes = ['native', 'test/native'].map((name) => `-I${join(PROJECT, name)}`);
  const [compiler = 'c++', ...own] = (process.env.CXX ?? 'c++').split(/\s+/);
  const flags = ['-std=c++20', '-shared', '-fPIC', ...includes, ...more];
  await promisify(execFile)(compiler, [...own, ...flags, path, '-o', to]);
}
