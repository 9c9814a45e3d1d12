// Builds the fuzzers and runs each for a while, starting from its corpus.
// Usage: run-fuzzers.mjs [--seconds N]
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, configure } from './cmake-step.mjs';
import { capture, isInstalled, runInForeground } from './command.mjs';
import { findOnnxRuntimeHeaders } from './onnxruntime-headers.mjs';
import { Problem, runMain } from './problem.mjs';
import { buildFolder, projectRoot, sourceFiles } from './project.mjs';
import { requireCMake, requireGenerator } from './toolchain.mjs';

const FOLDER = join(buildFolder, 'fuzz');
const DEFAULT_SECONDS = '10';
const MOST_BYTES = 16384;
const MOST_MEMORY_MIB = 2048;
const SLOWEST_INPUT_SECONDS = 10;
const EMPTY_FUZZER =
  'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }';

async function main() {
  const seconds = readSeconds();
  const clang = process.env.CLANGXX || 'clang++';
  const obstacle = await whyNotFuzzing(clang);
  if (obstacle) {
    process.stdout.write(`fuzzers: skipped, ${obstacle}\n`);
    return;
  }
  await buildFuzzers(clang);
  const names = sourceFiles('test/fuzz', '_fuzzer.cc').map((path) => basename(path, '.cc'));
  for (const name of names) await runFuzzer(name, seconds);
}

/** Clang's packages may come without the libraries that fuzzers are linked with. */
async function whyNotFuzzing(clang) {
  if (!(await isInstalled(clang))) return `${clang} is not installed`;
  const flags = ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', '/dev/null'];
  const { ok } = await capture(clang, flags, { input: EMPTY_FUZZER });
  return ok ? undefined : `${clang} cannot link fuzzers (Debian, Ubuntu: libclang-rt-…-dev)`;
}

function readSeconds() {
  const seconds = { type: 'string', default: DEFAULT_SECONDS };
  try {
    const { values } = parseArgs({ options: { seconds } });
    if (/^[1-9]\d*$/.test(values.seconds)) return values.seconds;
  } catch (error) {
    throw new Problem(error.message);
  }
  throw new Problem('--seconds takes a positive integer');
}

async function buildFuzzers(clang) {
  await requireCMake();
  await mkdir(FOLDER, { recursive: true });
  const definitions = {
    CMAKE_CXX_COMPILER: clang,
    CMAKE_BUILD_TYPE: 'Debug',
    ONNXRUNTIME_INCLUDE_DIR: await findOnnxRuntimeHeaders(),
    WARMSWAP_FUZZ: 'ON',
  };
  const defines = Object.entries(definitions).map(([key, value]) => `-D${key}=${value}`);
  const generator = await requireGenerator();
  await configure(FOLDER, ['cmake', '-S', projectRoot, '-B', FOLDER, '-G', generator, ...defines]);
  await build(FOLDER, 'warmswap_fuzzers');
}

/** New inputs that reach new code are kept in the build folder; the checked-in corpus stays small. */
async function runFuzzer(name, seconds) {
  const corpus = name.replace(/_fuzzer$/, '');
  const found = join(FOLDER, 'corpus', corpus);
  const finds = join(FOLDER, `${corpus}-`);
  await mkdir(found, { recursive: true });
  process.stdout.write(`${name}, ${seconds} s:\n`);
  const failure = await runInForeground(join(FOLDER, name), [
    `-max_total_time=${seconds}`,
    `-max_len=${MOST_BYTES}`,
    `-rss_limit_mb=${MOST_MEMORY_MIB}`,
    `-timeout=${SLOWEST_INPUT_SECONDS}`,
    `-artifact_prefix=${finds}`,
    '-print_final_stats=1',
    '-verbosity=0',
    found,
    join(projectRoot, 'test/fuzz/corpus', corpus),
  ]);
  if (failure) throw new Problem(`${name} found an input (${failure}); it lies in ${finds}*`);
}

await runMain(main);
