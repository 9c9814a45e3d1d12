// Builds and runs the native tests, with sanitizers unless told otherwise.
// Usage: run-native-tests.mjs [--only plain|asan-ubsan|tsan]... [-- options of doctest]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, configure } from './cmake-step.mjs';
import { capture, runInForeground } from './command.mjs';
import { findDoctestHeaders } from './doctest-headers.mjs';
import { findOnnxRuntimeHeaders } from './onnxruntime-headers.mjs';
import { Problem, runMain } from './problem.mjs';
import { buildFolder, projectRoot } from './project.mjs';
import { requireCMake, requireCompiler, requireGenerator, requireNode } from './toolchain.mjs';

const PROGRAM = 'warmswap_native_tests';
const SANITIZERS = { plain: '', 'asan-ubsan': 'address,undefined', tsan: 'thread' };
const DEFAULTS = ['asan-ubsan', 'tsan'];
const TSAN_SUPPRESSIONS = join(projectRoot, 'native/build/tsan.supp');

async function main() {
  const { names, doctestOptions } = readArguments();
  requireNode();
  await requireCMake();
  const definitions = {
    CMAKE_CXX_COMPILER: await requireCompiler(),
    ONNXRUNTIME_INCLUDE_DIR: await findOnnxRuntimeHeaders(),
    DOCTEST_INCLUDE_DIR: await findDoctestHeaders(),
    WARMSWAP_TESTS: 'ON',
  };
  const generator = await requireGenerator();
  const failures = [];
  for (const name of names) {
    const folder = await buildTests(name, generator, definitions);
    if (await isRefusedByKernel(folder)) {
      process.stdout.write(`native tests, ${name}: skipped, it does not start on this kernel\n`);
      continue;
    }
    const failure = await runTests(name, folder, doctestOptions);
    if (failure) failures.push(`${name} (${failure})`);
  }
  if (failures.length > 0) throw new Problem(`native tests failed: ${failures.join(', ')}`);
}

function readArguments() {
  const { values, positionals } = parseArguments();
  const unknown = values.only.find((name) => !(name in SANITIZERS));
  if (unknown) {
    throw new Problem(`--only takes ${Object.keys(SANITIZERS).join(', ')}, not ${unknown}`);
  }
  return { names: values.only, doctestOptions: positionals };
}

function parseArguments() {
  const only = { type: 'string', multiple: true, default: DEFAULTS };
  try {
    return parseArgs({ options: { only }, allowPositionals: true });
  } catch (error) {
    throw new Problem(error.message);
  }
}

async function buildTests(name, generator, definitions) {
  const folder = join(buildFolder, 'native-tests', name);
  await mkdir(folder, { recursive: true });
  const all = {
    ...definitions,
    CMAKE_BUILD_TYPE: SANITIZERS[name] ? 'Debug' : 'Release',
    WARMSWAP_SANITIZE: SANITIZERS[name],
  };
  const defines = Object.entries(all).map(([key, value]) => `-D${key}=${value}`);
  await configure(folder, ['cmake', '-S', projectRoot, '-B', folder, '-G', generator, ...defines]);
  await build(folder, PROGRAM);
  return folder;
}

/** Older ThreadSanitizers do not find their place in the address space that newer kernels lay out. */
async function isRefusedByKernel(folder) {
  const { output } = await capture(join(folder, PROGRAM), ['--no-run']);
  return output.includes('ThreadSanitizer: unexpected memory mapping');
}

function runTests(name, folder, doctestOptions) {
  process.stdout.write(`native tests, ${name}:\n`);
  return runInForeground(join(folder, PROGRAM), doctestOptions, {
    cwd: projectRoot,
    env: { ...process.env, ...testEnvironment() },
  });
}

/** What the tests read, and the sanitizers' options; the user's own options win. */
function testEnvironment() {
  const library = `onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`;
  return {
    WARMSWAP_ORT_LIBRARY: join(projectRoot, 'node_modules', library),
    // Its telemetry uploads, and leaks a few bytes that LeakSanitizer would report.
    ORT_DISABLE_TELEMETRY: '1',
    WARMSWAP_FIXTURES: join(buildFolder, 'fixtures'),
    ...sanitizerOptions('ASAN_OPTIONS', 'detect_leaks=1:detect_stack_use_after_return=1'),
    ...sanitizerOptions('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1'),
    ...sanitizerOptions('TSAN_OPTIONS', `halt_on_error=1:suppressions="${TSAN_SUPPRESSIONS}"`),
  };
}

function sanitizerOptions(name, ours) {
  return { [name]: [ours, process.env[name]].filter(Boolean).join(':') };
}

await runMain(main);
