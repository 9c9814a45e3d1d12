// Builds build/Release/warmswap.node. Run by `npm install`.
import { build, configure } from './cmake-step.mjs';
import { findOnnxRuntimeHeaders } from './onnxruntime-headers.mjs';
import { Problem, runMain } from './problem.mjs';
import { buildFolder, isDependency, projectRoot, requireFromProject } from './project.mjs';
import { requireCMake, requireCompiler, requireGenerator, requireNode } from './toolchain.mjs';

const CLIENT_ALONE =
  'For the client library alone no addon is needed: npm install --ignore-scripts';

async function main() {
  if (process.platform !== 'linux') {
    process.stdout.write(
      `warmswap: no addon is built: the daemon runs on Linux only, not on ${process.platform}; the client library works here\n`,
    );
    return;
  }
  requireNode();
  const tools = await findTools();
  await configure(buildFolder, await configureCommand(tools));
  await build(buildFolder, 'warmswap');
  process.stdout.write('warmswap: built build/Release/warmswap.node\n');
}

async function findTools() {
  try {
    await requireCMake();
    const generator = await requireGenerator();
    const compiler = await requireCompiler();
    const headers = await findOnnxRuntimeHeaders();
    return { generator, compiler, headers };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(`${error.message}. ${CLIENT_ALONE}`, error.details);
  }
}

/** cmake-js's command line for a Node-API addon: it needs no download of Node.js's headers. */
async function configureCommand({ generator, compiler, headers }) {
  const { CMake } = requireFromProject('cmake-js');
  const cmake = new CMake({
    directory: projectRoot,
    out: buildFolder,
    isNodeApi: true,
    generator,
    cppCompilerPath: compiler,
    cCompilerPath: 'cc',
    cMakeOptions: {
      ONNXRUNTIME_INCLUDE_DIR: headers,
      WARMSWAP_WERROR: isDependency ? 'OFF' : 'ON',
    },
  });
  // cmake-js sets CMAKE_CXX_FLAGS to a macro for Windows; that would hide the user's CXXFLAGS.
  const flags = `-DCMAKE_CXX_FLAGS=${process.env.CXXFLAGS ?? ''}`;
  return [...(await cmake.getConfigureCommand()), '-B', buildFolder, flags];
}

await runMain(main);
