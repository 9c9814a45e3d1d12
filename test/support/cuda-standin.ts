import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A stand-in for NVIDIA's driver library (test/native/standin), in a folder of its own. */
export interface CudaStandin {
  path: string;
  remove: () => Promise<void>;
}

export async function buildCudaStandin(): Promise<CudaStandin> {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-standin-'));
  const path = join(folder, 'libcuda-standin.so');
  const source = join(PROJECT, 'test/native/standin/fake_cuda_driver.cc');
  const includes = ['native', 'test/native'].map((name) => `-I${join(PROJECT, name)}`);
  const [compiler = 'c++', ...own] = (process.env.CXX ?? 'c++').split(/\s+/);
  const flags = ['-std=c++20', '-shared', '-fPIC', ...includes];
  await promisify(execFile)(compiler, [...own, ...flags, source, '-o', path]);
  return { path, remove: () => rm(folder, { recursive: true }) };
}
