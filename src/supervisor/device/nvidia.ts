import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { visibleGpus } from './visible-gpus.js';

export interface Gpu {
  /** As `device: cuda:N` counts, and nvidia-smi where CUDA_VISIBLE_DEVICES hides none. */
  index: number;
  name: string;
  uuid: string;
  /** Of VRAM; known only where there is nvidia-smi. */
  totalBytes?: number;
  freeBytes?: number;
}

/** What NVIDIA's driver shows of this host. */
export interface NvidiaHost {
  /** Version of the kernel driver; none: no driver is loaded. */
  driver?: string;
  /** Those that programs may see. */
  gpus: readonly Gpu[];
  /** There is NVIDIA hardware, with or without a driver. */
  hasHardware: boolean;
  /** There are GPUs, of which CUDA_VISIBLE_DEVICES lets programs see none. */
  isHidden: boolean;
}

export interface NvidiaSources {
  /** Above /proc, /sys and /dev. */
  root: string;
  /** What nvidia-smi prints for QUERY, or nothing where it cannot be run. */
  runSmi: () => Promise<string>;
  environment: NodeJS.ProcessEnv;
}

const QUERY = 'index,name,uuid,memory.total,memory.free,driver_version';
const SMI_TIMEOUT_MS = 20_000;
const MEBIBYTE = 2 ** 20;
const VENDOR = '0x10de';

/** Reads /proc, /sys and /dev, and asks nvidia-smi where there is one. Never rejects. */
export async function readNvidia({
  root = '/',
  runSmi = runNvidiaSmi,
  environment = process.env,
}: Partial<NvidiaSources> = {}): Promise<NvidiaHost> {
  const told = parseSmi(await runSmi());
  const version = await readText(join(root, 'proc/driver/nvidia/version'));
  const driver = parseDriverVersion(version) ?? told.driver;
  const all = told.gpus.length > 0 ? told.gpus : await readGpus(root);
  const gpus = visibleGpus(all, environment.CUDA_VISIBLE_DEVICES);
  return {
    ...(driver === undefined ? {} : { driver }),
    gpus,
    hasHardware: await hasNvidiaHardware(root),
    isHidden: all.length > 0 && gpus.length === 0,
  };
}

/** Of /proc/driver/nvidia/version. */
export function parseDriverVersion(text: string): string | undefined {
  return /^NVRM version:.*?\s(\d+(?:\.\d+)+)\s/m.exec(text)?.[1];
}

/** Of nvidia-smi for QUERY as CSV: a GPU a line; memory in MiB, or a text such as `[N/A]`. */
export function parseSmi(text: string): { driver?: string; gpus: Gpu[] } {
  const rows = text
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .filter((fields) => fields.length === 6 && /^\d+$/.test(fields[0] ?? ''));
  const gpus = rows.map(([index, name = '', uuid = '', total, free]) => {
    const totalBytes = Number(total) * MEBIBYTE;
    const freeBytes = Number(free) * MEBIBYTE;
    return {
      ...{ index: Number(index), name, uuid },
      ...(Number.isFinite(totalBytes) ? { totalBytes } : {}),
      ...(Number.isFinite(freeBytes) ? { freeBytes } : {}),
    };
  });
  const driver = rows[0]?.[5];
  return { ...(driver === undefined ? {} : { driver }), gpus };
}

/** Of /proc/driver/nvidia/gpus/BUS/information. */
export function parseGpuInformation(text: string): { name: string; uuid: string; minor: number } {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(text)?.[1] ?? '';
  const minor = field('Device Minor');
  return {
    name: field('Model'),
    uuid: field('GPU UUID'),
    minor: minor === '' ? -1 : Number(minor),
  };
}

/** A container sees all GPUs in /proc, and those that it may use in /dev. */
async function readGpus(root: string): Promise<Gpu[]> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  const buses = (await readdir(folder).catch(() => [])).sort();
  const texts = await Promise.all(buses.map((bus) => readText(join(folder, bus, 'information'))));
  return texts
    .map(parseGpuInformation)
    .filter(({ minor }) => existsSync(join(root, 'dev', `nvidia${minor}`)))
    .map(({ name, uuid }, index) => ({ index, name, uuid }));
}

async function hasNvidiaHardware(root: string): Promise<boolean> {
  const folder = join(root, 'sys/bus/pci/devices');
  const devices = await readdir(folder).catch(() => []);
  const vendors = await Promise.all(devices.map((one) => readText(join(folder, one, 'vendor'))));
  return vendors.some((vendor) => vendor.trim() === VENDOR);
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function runNvidiaSmi(): Promise<string> {
  const args = [`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'];
  const options = { timeout: SMI_TIMEOUT_MS };
  return promisify(execFile)('nvidia-smi', args, options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
