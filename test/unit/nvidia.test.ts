import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  parseDriverVersion,
  parseGpuInformation,
  parseSmi,
  readNvidia,
} from '../../src/supervisor/device/nvidia.js';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'warmswap-nvidia-'))));
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const read = (smi: string, environment: NodeJS.ProcessEnv = {}) =>
  readNvidia({ root, runSmi: () => Promise.resolve(smi), environment });

const VERSION =
  'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder)\n' +
  'GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n';
const information = (uuid: string, minor: number) =>
  `Model: \t\t NVIDIA H200\nIRQ:   \t\t 167\nGPU UUID: \t ${uuid}\n` +
  `Video BIOS: \t 96.00.68.00.01\nBus Location: \t 0000:04:00.0\nDevice Minor: \t ${minor}\n`;

test.each([
  [VERSION, '580.65.06'],
  ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82  Wed Oct 27\n', '470.82'],
  ['GCC version:  gcc version 12.2.0 (Debian)\n', undefined],
  ['', undefined],
])('the version of the driver is read from its text', (text, version) => {
  expect(parseDriverVersion(text)).toBe(version);
});

test('a GPU is read from its text', () => {
  expect(parseGpuInformation(information('GPU-7', 3))).toEqual({
    ...{ name: 'NVIDIA H200', uuid: 'GPU-7', minor: 3 },
  });
  expect(parseGpuInformation('')).toEqual({ name: '', uuid: '', minor: -1 });
});

test('what nvidia-smi prints is read, memory that it does not know left out', () => {
  const text =
    '0, NVIDIA H200, GPU-1, 143771, 143000, 580.65.06\n' +
    '1, NVIDIA GB10, GPU-2, [N/A], [N/A], 580.65.06\n';
  expect(parseSmi(text)).toEqual({
    driver: '580.65.06',
    gpus: [
      {
        ...{ index: 0, name: 'NVIDIA H200', uuid: 'GPU-1' },
        ...{ totalBytes: 143771 * 2 ** 20, freeBytes: 143000 * 2 ** 20 },
      },
      { index: 1, name: 'NVIDIA GB10', uuid: 'GPU-2' },
    ],
  });
  expect(parseSmi('No devices were found\n')).toEqual({ gpus: [] });
});

test('a host without NVIDIA has nothing', async () => {
  expect(await read('')).toEqual({ gpus: [], hasHardware: false, isHidden: false });
});

test('hardware without a driver is seen', async () => {
  write('sys/bus/pci/devices/0000:00:01.0/vendor', '0x8086\n');
  expect(await read('')).toMatchObject({ hasHardware: false });
  write('sys/bus/pci/devices/0000:04:00.0/vendor', '0x10de\n');
  expect(await read('')).toEqual({ gpus: [], hasHardware: true, isHidden: false });
});

test('without nvidia-smi the GPUs are those of /proc that /dev has', async () => {
  write('proc/driver/nvidia/version', VERSION);
  write('proc/driver/nvidia/gpus/0000:04:00.0/information', information('GPU-1', 0));
  write('proc/driver/nvidia/gpus/0000:05:00.0/information', information('GPU-2', 1));
  write('dev/nvidia1', '');
  expect(await read('')).toMatchObject({
    driver: '580.65.06',
    gpus: [{ index: 0, name: 'NVIDIA H200', uuid: 'GPU-2' }],
  });
});

test('where /proc shows no driver, nvidia-smi does', async () => {
  expect(await read('0, NVIDIA H200, GPU-1, 143771, 143000, 580.65.06\n')).toMatchObject({
    driver: '580.65.06',
    gpus: [{ name: 'NVIDIA H200' }],
  });
});

test.each([
  [undefined, false],
  ['0,1', false],
  ['GPU-1', false],
  ['7', true],
  ['', true],
  ['-1', true],
  ['NoDevFiles', true],
])('CUDA_VISIBLE_DEVICES=%s', async (value, isHidden) => {
  const environment = value === undefined ? {} : { CUDA_VISIBLE_DEVICES: value };
  const row = '0, NVIDIA H200, GPU-1, 143771, 143000, 580.65.06\n';
  expect(await read(row, environment)).toMatchObject({ isHidden });
});
