import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gpuOf, type Device } from '../../../src/config/device.js';
import { bundledLibraryPath } from '../../../src/native/binding.js';
import { HostReport } from './host-report.js';

/** What tests and benchmarks of this folder run on, as their command line says. */
export interface Target {
  device: Device;
  gpu: number | undefined;
  /** The ONNX Runtime. */
  library: string;
  quick: boolean;
  /** Flags of `warmswap serve` for a daemon that runs on it. */
  daemonFlags: readonly string[];
  report: HostReport;
  /** Removes what it has written. */
  close(): void;
}

export interface Skipped {
  skipped: string;
}

interface Arguments {
  device: string;
  ortLibrary: string | undefined;
  quick: boolean;
}

const USAGE = '[--device cuda|cuda:N|cpu] [--ort-library FILE] [--quick]';

/**
 * Decides what to run on: a GPU, unless told otherwise. Gives the reason where there is none that can be
 * used. Rejects for wrong arguments, and where the program cannot run at all.
 */
export async function findTarget(args: readonly string[]): Promise<Target | Skipped> {
  const given = readArguments(args);
  // This process counts GPUs as the daemon does.
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID';
  const folder = mkdtempSync(join(tmpdir(), 'warmswap-gpu-'));
  const close = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const config = writeConfig(folder, given);
    const report = await HostReport.read(config);
    const devices = report.check('device')?.details?.devices as readonly Device[] | undefined;
    const device = devices?.[0];
    if (device) return { ...toTarget(device, given, config), report, close };
    close();
    return { skipped: report.check('device')?.found ?? 'the doctor tells of no device' };
  } catch (error) {
    close();
    throw error;
  }
}

function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      device: { type: 'string', default: 'cuda' },
      'ort-library': { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const { device, quick, 'ort-library': library } = values;
  if (!/^(cpu|cuda(:\d+)?)$/.test(device)) throw new Error(`expected ${USAGE}, got ${device}`);
  return { device, quick, ortLibrary: library === undefined ? undefined : resolve(library) };
}

function writeConfig(folder: string, { device, ortLibrary }: Arguments): string {
  const settings = { device, ...(ortLibrary === undefined ? {} : { ortLibrary }) };
  const config = join(folder, 'warmswap.yaml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(settings));
  return config;
}

function toTarget(device: Device, { ortLibrary, quick }: Arguments, config: string) {
  return {
    ...{ device, gpu: gpuOf(device), quick },
    library: ortLibrary ?? bundledLibraryPath(),
    daemonFlags: ['--config', config, '--device', device],
  };
}
