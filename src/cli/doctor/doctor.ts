import { loadConfig } from '../../config/load.js';
import type { DaemonConfig } from '../../config/schema.js';
import { readCudaProvider } from '../../supervisor/device/cuda-provider.js';
import { readNvidia } from '../../supervisor/device/nvidia.js';
import { findDriverLibrary, readLibrarySearch } from '../../supervisor/device/shared-libraries.js';
import { withTrials } from '../../supervisor/device/try-devices.js';
import { tryLibrary } from '../../supervisor/device/try-library.js';
import type { LibraryReport } from '../../worker/library-report.js';
import { checkCertificate } from './certificate.js';
import type { Check } from './check.js';
import {
  checkDevice,
  checkDriver,
  checkDriverLibrary,
  checkGpus,
  checkProvider,
  checkRun,
} from './cuda.js';
import { checkLimits } from './limits.js';
import { checkMemory } from './memory.js';
import { checkPort } from './ports.js';
import { checkLibrary, checkProgram } from './program.js';
import { reportLines, toReport } from './report.js';
import { checkSharedPort } from './sharing.js';
import { checkStorage } from './storage.js';

export interface DoctorFlags {
  config?: string;
  json?: boolean;
}

/**
 * `warmswap doctor`: looks at this host as the daemon of this configuration would find it. Sets exit
 * code 1 if it could not run. Rejects with ConfigError if the configuration cannot be used.
 */
export async function runDoctor({ config: file, json }: DoctorFlags): Promise<void> {
  const config = loadConfig({ file, flags: {}, environment: process.env });
  const report = toReport(await examine(config));
  console.log(json ? JSON.stringify(report) : reportLines(report).join('\n'));
  if (report.status === 'fail') process.exitCode = 1;
}

async function examine(config: DaemonConfig): Promise<Check[]> {
  return [
    ...checkProgram(),
    ...(await examineDevice(config)),
    ...(await checkMemory()),
    ...(await checkLimits(config.limits.maxConnections)),
    ...(await checkStorage(config.models, config.store.path)),
    ...checkCertificate(config.listen.tls),
    await checkSharedPort(),
    await checkPort('data port', 'listen', config.listen),
    await checkPort('admin port', 'admin', config.admin),
  ];
}

async function examineDevice({ device, ortLibrary }: DaemonConfig): Promise<Check[]> {
  const nvidia = await readNvidia();
  const search = await readLibrarySearch(process.env);
  const driverLibrary = findDriverLibrary(search);
  const library = await tryLibrary(ortLibrary);
  const isOpen = !('problem' in library);
  const provider = isOpen ? await readCudaProvider(library.path, search) : undefined;
  const wanted = device === 'webgpu' && hasWebGpu(library) ? device : 'auto';
  const facts = await withTrials({ nvidia, driverLibrary, library, provider }, wanted);
  return [
    checkLibrary(library, ortLibrary),
    checkDriver(nvidia),
    ...checkGpus(nvidia),
    ...checkDriverLibrary(nvidia, driverLibrary),
    ...(provider ? checkProvider(provider, nvidia) : []),
    ...[...(facts.trials ?? [])].map(([tried, problem]) => checkRun(tried, problem)),
    checkDevice(device, facts),
  ];
}

/** Compiled in. */
function hasWebGpu(library: LibraryReport): boolean {
  return !('problem' in library) && library.providers.includes('WebGpuExecutionProvider');
}
