// Builds build/bench/native/warmswap_native_bench, the benchmarks of the core.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build, configure } from './cmake-step.mjs';
import { findGoogleBenchmark } from './google-benchmark.mjs';
import { findOnnxRuntimeHeaders } from './onnxruntime-headers.mjs';
import { runMain } from './problem.mjs';
import { buildFolder, projectRoot } from './project.mjs';
import { requireCMake, requireCompiler, requireGenerator } from './toolchain.mjs';

async function main() {
  await requireCMake();
  const { includes, library } = await findGoogleBenchmark();
  const folder = join(buildFolder, 'bench', 'native');
  await mkdir(folder, { recursive: true });
  const definitions = [
    `-DCMAKE_CXX_COMPILER=${await requireCompiler()}`,
    `-DONNXRUNTIME_INCLUDE_DIR=${await findOnnxRuntimeHeaders()}`,
    `-DBENCHMARK_INCLUDE_DIR=${includes}`,
    `-DBENCHMARK_LIBRARY=${library}`,
    '-DWARMSWAP_NATIVE_BENCH=ON',
  ];
  const generator = await requireGenerator();
  const command = ['cmake', '-S', projectRoot, '-B', folder, '-G', generator, ...definitions];
  await configure(folder, command);
  await build(folder, 'warmswap_native_bench');
}

await runMain(main);
