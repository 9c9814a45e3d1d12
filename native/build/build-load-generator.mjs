// Builds build/bench/load/warmswap_load, the load generator of the benchmarks.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build, configure } from './cmake-step.mjs';
import { findOnnxRuntimeHeaders } from './onnxruntime-headers.mjs';
import { runMain } from './problem.mjs';
import { buildFolder, projectRoot } from './project.mjs';
import { requireCMake, requireCompiler, requireGenerator } from './toolchain.mjs';

async function main() {
  await requireCMake();
  const folder = join(buildFolder, 'bench', 'load');
  await mkdir(folder, { recursive: true });
  const definitions = [
    `-DCMAKE_CXX_COMPILER=${await requireCompiler()}`,
    // The configuration of the whole project asks for them; the generator does not.
    `-DONNXRUNTIME_INCLUDE_DIR=${await findOnnxRuntimeHeaders()}`,
    '-DWARMSWAP_BENCH=ON',
  ];
  const generator = await requireGenerator();
  const command = ['cmake', '-S', projectRoot, '-B', folder, '-G', generator, ...definitions];
  await configure(folder, command);
  await build(folder, 'warmswap_load');
}

await runMain(main);
