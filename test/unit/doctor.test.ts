import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkCertificate } from '../../src/cli/doctor/certificate.js';
import {
  checkDevice,
  checkDriver,
  checkDriverLibrary,
  checkGpus,
  checkProvider,
} from '../../src/cli/doctor/cuda.js';
import {
  checkKernel,
  checkOpenFiles,
  checkRealTime,
  parseLimit,
} from '../../src/cli/doctor/limits.js';
import {
  checkAvailable,
  checkGroupLimit,
  groupLimit,
  parseControlGroup,
  parseHugePages,
  parseMeminfo,
} from '../../src/cli/doctor/memory.js';
import { checkLibrary, checkNode, isAtLeast } from '../../src/cli/doctor/program.js';
import { reportLines, toReport } from '../../src/cli/doctor/report.js';
import { checkStore, fileSystemOf, judgeStore } from '../../src/cli/doctor/storage.js';
import { certificatePath, keyPath } from '../support/certificates.js';

const GIBIBYTE = 2 ** 30;
const GPU = { index: 0, name: 'NVIDIA H200', uuid: 'GPU-1' };
const NVIDIA = { driver: '580.65.06', gpus: [GPU], hasHardware: true, isHidden: false };
const NO_DRIVER = { gpus: [], hasHardware: false, isHidden: false };
const PROVIDER = '/ort/libonnxruntime_providers_cuda.so';

describe('versions', () => {
  test.each([
    ['20.17.0', '20.17', true],
    ['20.16.9', '20.17', false],
    ['100.0', '20.17', true],
    ['5.14', '5.14', true],
    ['5.14.0-427.el9.x86_64', '5.14', true],
    ['5.9.1', '5.14', false],
    ['6', '5.14', true],
    ['5', '5.14', false],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  test('a Node.js that is too old fails with the one to install', () => {
    expect(checkNode('v20.17.0', '20.17')).toMatchObject({ status: 'ok' });
    expect(checkNode('v18.20.4', '20.17')).toMatchObject({
      ...{ status: 'fail', remedy: 'install Node.js 20.17 or newer' },
    });
  });

  test('a kernel that cannot populate a mapping is warned of', () => {
    expect(checkKernel('6.1.0-18-amd64')).toMatchObject({ status: 'ok' });
    expect(checkKernel('5.10.0-28-amd64')).toMatchObject({ status: 'warn' });
  });
});

describe('limits', () => {
  const LIMITS =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max cpu time              unlimited            unlimited            seconds   \n' +
    'Max open files            1024                 524288               files     \n' +
    'Max locked memory         8388608              8388608              bytes     \n';

  test('are read from the text of /proc', () => {
    expect(parseLimit(LIMITS, 'Max open files')).toBe(1024);
    expect(parseLimit(LIMITS, 'Max locked memory')).toBe(8 * 2 ** 20);
    expect(parseLimit(LIMITS, 'Max cpu time')).toBe(Infinity);
    expect(parseLimit('', 'Max open files')).toBeUndefined();
  });

  test('of open files must do for all connections of a worker', () => {
    expect(checkOpenFiles(10_256, 10_000)).toMatchObject({ status: 'ok' });
    expect(checkOpenFiles(Infinity, 10_000)).toMatchObject({ status: 'ok', found: 'unlimited' });
    expect(checkOpenFiles(10_255, 10_000)).toMatchObject({
      status: 'warn',
      remedy: expect.stringContaining('raise the hard limit to 10256') as string,
    });
  });
});

test('real-time scheduling that is not permitted is no defect, but what it takes is told', () => {
  expect(checkRealTime(true)).toMatchObject({ status: 'ok', found: 'permitted' });
  expect(checkRealTime(false)).toMatchObject({
    status: 'ok',
    found: expect.stringContaining('CAP_SYS_NICE or LimitRTPRIO=2') as string,
    details: { permitted: false },
  });
});

describe('memory', () => {
  test('is read from the texts of the kernel', () => {
    const text =
      'MemTotal:       24684084 kB\nMemFree:        18000000 kB\nMemAvailable:   22000000 kB\n' +
      'Buffers:          100000 kB\nCached:          5000000 kB\nSwapCached:            7 kB\n';
    expect(parseMeminfo(text)).toEqual({
      totalBytes: 24684084 * 1024,
      availableBytes: 22000000 * 1024,
      cachedBytes: 5000000 * 1024,
    });
    expect(parseControlGroup('4:memory:/v1\n0::/system.slice/warmswap.service\n')).toBe(
      '/system.slice/warmswap.service',
    );
    expect(parseControlGroup('4:memory:/v1\n')).toBe('/');
    expect(parseHugePages('always [madvise] never\n')).toBe('madvise');
    expect(parseHugePages('')).toBeUndefined();
  });

  test('is limited by the least of the control groups above', async () => {
    const root = mkdtempSync(join(tmpdir(), 'warmswap-groups-'));
    onTestFinished(() => {
      rmSync(root, { recursive: true });
    });
    mkdirSync(join(root, 'a/b'), { recursive: true });
    const limit = (group: string, text: string) => {
      writeFileSync(join(root, group, 'memory.max'), text);
    };
    limit('a/b', 'max\n');
    expect(await groupLimit(root, '/a/b')).toBeUndefined();
    limit('a', '3000\n');
    expect(await groupLimit(root, '/a/b')).toBe(3000);
    limit('a/b', '2000\n');
    expect(await groupLimit(root, '/a/b')).toBe(2000);
    expect(await groupLimit(root, '/a')).toBe(3000);
    expect(await groupLimit(root, '/')).toBeUndefined();
  });

  test('is warned of where there is little', () => {
    const info = { totalBytes: 4 * GIBIBYTE, cachedBytes: 0 };
    expect(checkAvailable({ ...info, availableBytes: GIBIBYTE })).toMatchObject({ status: 'ok' });
    expect(checkAvailable({ ...info, availableBytes: GIBIBYTE - 1 })).toMatchObject({
      status: 'warn',
    });
    expect(checkGroupLimit(undefined)).toMatchObject({ status: 'ok' });
    expect(checkGroupLimit(GIBIBYTE / 2)).toMatchObject({
      ...{ status: 'warn', found: '512.0 MiB of the control group' },
    });
  });
});

describe('the store', () => {
  const MOUNTS =
    '24 1 254:0 / / rw,relatime - ext4 /dev/root rw\n' +
    '30 24 0:26 / /dev/shm rw - tmpfs tmpfs rw\n' +
    '31 24 0:27 / /srv/my\\040disk rw,relatime shared:7 - xfs /dev/sdb1 rw\n' +
    '32 24 0:28 / /srv/over rw - ext4 /dev/sdc1 rw\n' +
    '33 24 0:29 / /srv/over rw - nfs4 server:/x rw\n';

  test.each([
    ['/home/me/.cache', 'ext4'],
    ['/dev/shm/store', 'tmpfs'],
    ['/dev/shmother', 'ext4'],
    ['/srv/my disk/store', 'xfs'],
    ['/srv/over', 'nfs4'],
  ])('%s lies on %s', (path, type) => {
    expect(fileSystemOf(path, MOUNTS)).toBe(type);
  });

  test('may be a folder that is yet to be made, but not below a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warmswap-store-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const store = join(folder, 'a', 'b');
    expect((await checkStore(store)).details).toMatchObject({ store });
    writeFileSync(join(folder, 'a'), '');
    expect(await checkStore(store)).toMatchObject({
      status: 'fail',
      found: `${join(folder, 'a')} cannot be written: ENOTDIR`,
    });
  });

  test('is warned of where it is full, remote, or in memory', () => {
    const free = 100 * GIBIBYTE;
    expect(judgeStore('/s', free, 'ext4')).toMatchObject({ status: 'ok' });
    expect(judgeStore('/s', free, 'fuseblk')).toMatchObject({ status: 'ok' });
    for (const type of ['nfs', 'nfs4', 'cifs', '9p', 'fuse.sshfs', 'tmpfs']) {
      expect(judgeStore('/s', free, type)).toMatchObject({ status: 'warn' });
    }
    expect(judgeStore('/s', GIBIBYTE, 'ext4')).toMatchObject({ status: 'warn' });
  });
});

test('a certificate is warned of two weeks before it expires', () => {
  const cert = certificatePath('first');
  const tls = { cert, key: keyPath('first'), minVersion: 'TLSv1.2' } as const;
  const end = Date.parse(new X509Certificate(readFileSync(cert)).validTo);
  const day = 24 * 3600 * 1000;
  const statusAt = (now: number) => checkCertificate(tls, now).map(({ status }) => status);
  expect(checkCertificate(undefined)).toEqual([]);
  expect(statusAt(end - 15 * day)).toEqual(['ok']);
  expect(statusAt(end - 13 * day)).toEqual(['warn']);
  expect(checkCertificate(tls, end + day)[0]?.found).toContain('expired on');
  expect(checkCertificate({ ...tls, key: '/nowhere' }, 0)[0]).toMatchObject({ status: 'fail' });
});

describe('CUDA', () => {
  test('a missing driver is a defect only where there is hardware', () => {
    expect(checkDriver(NO_DRIVER)).toMatchObject({ status: 'ok' });
    expect(checkDriver({ ...NO_DRIVER, hasHardware: true })).toMatchObject({ status: 'warn' });
    expect(checkDriver(NVIDIA)).toMatchObject({ status: 'ok', found: '580.65.06' });
  });

  test('GPUs are shown with their VRAM where that is known', () => {
    expect(checkGpus(NO_DRIVER)).toEqual([]);
    expect(checkGpus({ ...NVIDIA, gpus: [] })).toMatchObject([{ name: 'GPUs', status: 'warn' }]);
    const bytes = { totalBytes: 140 * GIBIBYTE, freeBytes: 100 * GIBIBYTE };
    expect(checkGpus({ ...NVIDIA, gpus: [{ ...GPU, ...bytes }] })).toMatchObject([
      { name: 'GPU 0', status: 'ok', found: 'NVIDIA H200, 140.0 GiB of VRAM, 100.0 GiB free' },
    ]);
    expect(checkGpus({ ...NVIDIA, isHidden: true })).toMatchObject([
      { name: 'GPU 0', status: 'warn', found: 'NVIDIA H200, VRAM unknown' },
      { name: 'GPUs', status: 'warn', found: 'CUDA_VISIBLE_DEVICES hides every GPU' },
    ]);
  });

  test("the driver's library is looked at where there is a driver", () => {
    const name = 'libcuda.so.1';
    expect(checkDriverLibrary(NO_DRIVER, { name })).toEqual([]);
    expect(checkDriverLibrary(NVIDIA, { name })).toMatchObject([{ status: 'warn' }]);
    expect(checkDriverLibrary(NVIDIA, { name, path: `/lib/${name}` })).toMatchObject([
      { status: 'ok' },
    ]);
  });

  test('each library of the provider is named with its remedy', () => {
    const libraries = [
      { name: 'libcudart.so.13', path: '/lib/libcudart.so.13' },
      { name: 'libcublas.so.13', path: '/cuda/lib64/libcublas.so.13', isOutside: true as const },
      { name: 'libcudnn.so.9' },
      { name: 'libc.so.6', path: '/lib/libc.so.6' },
      { name: 'libstdc++.so.6' },
    ];
    expect(checkProvider({ path: PROVIDER, libraries }, NVIDIA)).toMatchObject([
      { name: 'CUDA provider', status: 'ok', found: PROVIDER },
      { name: 'libcudart.so.13', status: 'ok' },
      {
        ...{ name: 'libcublas.so.13', status: 'warn' },
        remedy: 'add /cuda/lib64 to LD_LIBRARY_PATH of the daemon',
      },
      {
        ...{ name: 'libcudnn.so.9', status: 'warn', found: 'missing' },
        remedy: 'install cuDNN 9 for this CUDA, then run ldconfig',
      },
      { name: 'libstdc++.so.6', status: 'warn', found: 'missing' },
    ]);
  });

  test('a missing provider is a defect only where there is a GPU', () => {
    expect(checkProvider({ path: PROVIDER }, NO_DRIVER)).toMatchObject([{ status: 'ok' }]);
    expect(checkProvider({ path: PROVIDER }, NVIDIA)).toMatchObject([{ status: 'warn' }]);
    expect(checkProvider({ path: PROVIDER, problem: 'damaged' }, NO_DRIVER)).toMatchObject([
      { status: 'warn' },
    ]);
  });

  test('cuda that is asked for and cannot be used fails, what is chosen by auto does not', () => {
    expect(checkDevice('cpu', { nvidia: NVIDIA })).toMatchObject({ status: 'ok', found: 'cpu' });
    expect(checkDevice('auto', { nvidia: NO_DRIVER })).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('cpu: there is no NVIDIA driver') as string,
    });
    expect(checkDevice('cuda', { nvidia: NO_DRIVER })).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('cannot be used: there is no NVIDIA driver') as string,
    });
  });
});

test('an ONNX Runtime that does not open fails with what to do, by where it comes from', () => {
  const broken = { path: '/ort/x.so', problem: 'cannot open' };
  expect(checkLibrary(broken, undefined)).toMatchObject({
    ...{ status: 'fail', found: 'cannot open', remedy: 'run "npm ci" in Warmswap\'s folder' },
  });
  expect(checkLibrary(broken, '/ort/x.so').remedy).toContain('ortLibrary');
});

test('the report is as bad as its worst check, and has the remedy below what needs it', () => {
  const fine = { name: 'kernel', status: 'ok', found: '6.1' } as const;
  const slow = { name: 'x', status: 'warn', found: 'slow', remedy: 'mend x' } as const;
  const dead = { name: 'y', status: 'fail', found: 'dead', remedy: 'mend y' } as const;
  expect(toReport([fine]).status).toBe('ok');
  expect(toReport([fine, slow]).status).toBe('warn');
  expect(toReport([dead, slow, fine]).status).toBe('fail');
  expect(reportLines(toReport([fine, slow, dead]))).toEqual([
    'ok    kernel  6.1',
    'warn  x       slow',
    '      → mend x',
    'FAIL  y       dead',
    '      → mend y',
    '',
    '1 ok, 1 to look at, 1 that the daemon cannot run with',
  ]);
});
