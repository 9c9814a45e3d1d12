import { loadConfig } from '../../config/load.js';
import { WarmswapError } from '../../rpc/errors.js';
import { readCudaProvider } from '../../supervisor/device/cuda-provider.js';
import { readNvidia } from '../../supervisor/device/nvidia.js';
import { findDriverLibrary, readLibrarySearch } from '../../supervisor/device/shared-libraries.js';
import { withTrials } from '../../supervisor/device/try-devices.js';
import { tryLibrary } from '../../supervisor/device/try-library.js';
import type { OpenedLibrary } from '../../worker/library-report.js';
import type { Check } from '../doctor/check.js';
import { checkDriver, checkDriverLibrary, checkProvider, checkRun } from '../doctor/cuda.js';
import { checkLibrary } from '../doctor/program.js';
import { reportLines, toReport } from '../doctor/report.js';
import { installFromNuGet, installPackage, type Installed } from './install-package.js';

export interface SetupFlags {
  from?: string;
  to?: string;
  config?: string;
  json?: boolean;
}

/**
 * `warmswap setup cuda`: installs the provider, then looks whether it loads. Sets exit code 1 if it
 * does not. Rejects with the reason if nothing was installed.
 */
export async function setupCuda({ from, to, config: file, json }: SetupFlags): Promise<void> {
  const { ortLibrary } = loadConfig({ file, flags: {}, environment: process.env });
  const library = await openLibrary(ortLibrary);
  const installed =
    from === undefined ? await installFromNuGet(library) : await installPackage(from, library, to);
  const report = toReport(await examine(installed));
  if (json) console.log(JSON.stringify({ ...installed, ...report }));
  else console.log([...installedLines(installed), '', ...reportLines(report)].join('\n'));
  if (report.status !== 'ok') process.exitCode = 1;
}

async function openLibrary(path: string | undefined): Promise<OpenedLibrary> {
  const report = await tryLibrary(path);
  if (!('problem' in report)) return report;
  throw new WarmswapError('FAILED_PRECONDITION', `${report.path}: ${report.problem}`);
}

/** As the doctor does; and where there is a GPU, a model runs on it. */
async function examine({ library: path }: Installed): Promise<Check[]> {
  const nvidia = await readNvidia();
  const search = await readLibrarySearch(process.env);
  const provider = await readCudaProvider(path, search);
  const driverLibrary = findDriverLibrary(search);
  const library = await tryLibrary(path);
  const { trials = [] } = await withTrials({ nvidia, driverLibrary, library, provider });
  return [
    checkLibrary(library, path),
    checkDriver(nvidia),
    ...checkDriverLibrary(nvidia, driverLibrary),
    ...checkProvider(provider, nvidia),
    ...[...trials].map(([gpu, problem]) => checkRun(gpu, problem)),
  ];
}

function installedLines({ version, folder, library, isOther }: Installed): string[] {
  const line = `ONNX Runtime's CUDA provider ${version} is installed in ${folder}`;
  if (!isOther) return [line];
  return [
    `${line}, with ONNX Runtime ${version}. To use it, put this into warmswap.yaml:`,
    `ortLibrary: ${library}`,
  ];
}
