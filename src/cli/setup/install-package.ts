import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { WarmswapError } from '../../rpc/errors.js';
import { CUDA_PROVIDER } from '../../supervisor/device/cuda-provider.js';
import { tryLibrary } from '../../supervisor/device/try-library.js';
import type { OpenedLibrary } from '../../worker/library-report.js';
import { chooseTarget, defaultFolder } from './choose-target.js';
import { findPackage, type FoundPackage } from './find-package.js';
import { copyDurably, moveFiles, moveFolder, withScratch } from './install-files.js';
import { downloadFromNuGet, onnxRuntimeNode } from './nuget.js';
import { SHARED_PROVIDER } from './package-contents.js';
import { unpackPackage } from './unpack.js';

export interface Installed {
  /** Of ONNX Runtime. */
  version: string;
  /** Where the provider lies now. */
  folder: string;
  /** The ONNX Runtime to which it belongs. */
  library: string;
  /** It is another one than that in use, which the configuration has to name. */
  isOther: boolean;
}

const CORE_NAME = 'libonnxruntime.so';

/** Installs what a folder or archive has. `to`: where a whole other ONNX Runtime goes. */
export async function installPackage(
  source: string,
  library: OpenedLibrary,
  to: string | undefined,
): Promise<Installed> {
  const beside = dirname(library.path);
  return withScratch(beside, async (scratch) => {
    await unpackPackage(source, scratch);
    const found = await findPackage(scratch, source);
    const core = found.core === undefined ? undefined : await openCore(found.core, source);
    const target = chooseTarget(library, { source, version: found.version, core });
    const { version } = target;
    if (target.kind === 'beside') {
      await moveFiles([found.shared, found.cuda], beside);
      return { version, folder: beside, library: library.path, isOther: false };
    }
    const folder = resolve(to ?? defaultFolder(version, process.env));
    await installWhole(found, folder);
    return { version, folder, library: join(folder, CORE_NAME), isOther: true };
  });
}

/** Installs NuGet's provider for the shipped library. */
export async function installFromNuGet(library: OpenedLibrary): Promise<Installed> {
  const folder = dirname(library.path);
  if (!folder.startsWith(onnxRuntimeNode())) {
    const reason = `NuGet's provider is for the shipped ONNX Runtime, and ortLibrary names ${library.path}: name a package with --from`;
    throw new WarmswapError('FAILED_PRECONDITION', reason);
  }
  return withScratch(onnxRuntimeNode(), async (scratch) => {
    await downloadFromNuGet(scratch);
    const { shared, cuda } = await findPackage(scratch, "NuGet's package");
    await moveFiles([shared, cuda], folder);
    return { version: library.version, folder, library: library.path, isOther: false };
  });
}

async function openCore(path: string, source: string): Promise<OpenedLibrary> {
  const report = await tryLibrary(path);
  if (!('problem' in report)) return report;
  const reason = `the ONNX Runtime of ${source} does not open: ${report.problem}`;
  throw new WarmswapError('FAILED_PRECONDITION', reason);
}

/** Across file systems a folder cannot be renamed: it is put together where it goes. */
async function installWhole({ core, shared, cuda }: FoundPackage, folder: string): Promise<void> {
  if (core === undefined) throw new Error('a whole ONNX Runtime has a core');
  await withScratch(dirname(folder), async (scratch) => {
    const ready = join(scratch, 'ready');
    await mkdir(ready);
    await copyDurably(core, join(ready, CORE_NAME));
    await copyDurably(shared, join(ready, SHARED_PROVIDER));
    await copyDurably(cuda, join(ready, CUDA_PROVIDER));
    await moveFolder(ready, folder);
  });
}
