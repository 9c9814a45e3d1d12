import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig, type ConfigSources } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/parse.js';

const folder = mkdtempSync(join(tmpdir(), 'warmswap-config-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const FILE = join(folder, 'warmswap.yaml');

function load(text: string | undefined, sources: Partial<ConfigSources> = {}) {
  if (text !== undefined) writeFileSync(FILE, text);
  const file = text === undefined ? undefined : FILE;
  return loadConfig({ file, flags: {}, environment: {}, ...sources });
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('without a file, flags and variables, everything is at its default', () => {
  expect(load(undefined)).toEqual({
    models: resolve('models'),
    store: { path: resolve(homedir(), '.cache', 'warmswap'), maxBytes: 64 * 2 ** 30 },
    listen: { host: '127.0.0.1', port: 9000 },
    admin: { host: '127.0.0.1', port: 9001 },
    auth: { insecure: false, tokens: [] },
    workers: 'auto',
    device: 'auto',
    cuda: {
      arenaExtend: 'same-as-requested',
      convAlgorithmSearch: 'heuristic',
      tf32: true,
      graphs: false,
      loader: 'onnxruntime',
    },
    gpu: { shareWeights: false },
    watch: false,
    limits: {
      maxMessageBytes: 64 * 2 ** 20,
      maxConnections: 10_000,
      maxInflightPerConnection: 256,
      maxBufferedBytesPerConnection: 64 * 2 ** 20,
      idleTimeout: 120_000,
      bodyTimeout: 300_000,
    },
    busyPoll: 0.05,
    realTime: true,
    swap: {
      packTimeout: 1_800_000,
      prepareTimeout: 120_000,
      drainTimeout: 30_000,
      rollbackWindow: 300_000,
      strategy: 'load-first',
    },
    health: {
      heartbeatInterval: 1_000,
      heartbeatTimeout: 10_000,
      joinTimeout: 600_000,
      crashLimit: 5,
      crashWindow: 60_000,
    },
    log: { level: 'info' },
  });
});

test('a file that sets nothing changes nothing but where models are', () => {
  expect(load('')).toEqual({ ...load(undefined), models: join(folder, 'models') });
  expect(load('limits: {}\nlisten: {}')).toEqual(load(''));
});

test('units are understood wherever sizes and durations are', () => {
  const { limits, swap } = load(
    'limits: { maxMessageBytes: 1MiB, maxBufferedBytesPerConnection: 2KB }\n' +
      'swap: { prepareTimeout: 2m, drainTimeout: 500us, rollbackWindow: 0s }',
  );
  expect(limits).toMatchObject({
    maxMessageBytes: 2 ** 20,
    maxBufferedBytesPerConnection: 2_000,
  });
  expect(swap).toMatchObject({
    packTimeout: 1_800_000,
    prepareTimeout: 120_000,
    drainTimeout: 0.5,
    rollbackWindow: 0,
  });
});

test.each(['auto', 'cpu', 'cuda', 'cuda:0', 'cuda:0,12,3', 'webgpu'])(
  'device may be %s',
  (device) => {
    expect(load(`device: "${device}"`).device).toBe(device);
    expect(load(undefined, { flags: { device } }).device).toBe(device);
  },
);

test('options of CUDA are taken, and the others keep their defaults', () => {
  const { cuda } = load('cuda: { memoryLimit: 4GiB, graphs: true }');
  expect(cuda).toMatchObject({ memoryLimit: 4 * 2 ** 30, graphs: true, tf32: true });
});

test('ortLibrary counts from the folder of the file', () => {
  expect(load('ortLibrary: ort/libonnxruntime.so').ortLibrary).toBe(
    join(folder, 'ort/libonnxruntime.so'),
  );
  expect(load('ortLibrary: ~/libonnxruntime.so').ortLibrary).toBe(
    join(homedir(), 'libonnxruntime.so'),
  );
});

test('some limits can be turned off', () => {
  expect(load('limits: { idleTimeout: 0 }').limits).toMatchObject({ idleTimeout: 0 });
  expect(load('').limits.rate).toBeUndefined();
  expect(load('limits: { rate: { perSecond: 0.5 } }').limits.rate).toEqual({ perSecond: 0.5 });
});

test('the result is frozen to its leaves', () => {
  const config = load('');
  for (const part of [config, ...Object.values(config)]) expect(Object.isFrozen(part)).toBe(true);
});

describe('precedence: flags beat variables beat the file beats defaults', () => {
  const SETTINGS = [
    {
      path: 'listen.host',
      variable: 'WARMSWAP_HOST',
      flag: 'host',
      values: ['127.0.0.1', 'localhost', '::1'],
    },
    { path: 'listen.port', variable: 'WARMSWAP_PORT', flag: 'port', values: [1, 2, 3] },
    { path: 'admin.port', variable: 'WARMSWAP_ADMIN_PORT', flag: 'adminPort', values: [1, 2, 3] },
    { path: 'workers', variable: 'WARMSWAP_WORKERS', flag: 'workers', values: [1, 2, 'auto'] },
    {
      path: 'device',
      variable: 'WARMSWAP_DEVICE',
      flag: 'device',
      values: ['auto', 'cpu', 'auto'],
    },
    {
      path: 'log.level',
      variable: 'WARMSWAP_LOG_LEVEL',
      flag: 'logLevel',
      values: ['debug', 'warn', 'error'],
    },
    {
      path: 'models',
      variable: 'WARMSWAP_MODELS',
      flag: 'models',
      values: ['/file', '/variable', '/flag'],
    },
  ];

  const at = (config: unknown, path: string) =>
    path.split('.').reduce((value, key) => (value as Record<string, unknown>)[key], config);
  const yaml = (path: string, value: unknown) =>
    path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);

  test.each(SETTINGS)('$path', ({ path, variable, flag, values: [inFile, inVariable, inFlag] }) => {
    const text = JSON.stringify(yaml(path, inFile));
    const environment = { [variable]: String(inVariable) };
    const flags = { [flag]: String(inFlag) };
    expect(at(load(text), path)).toBe(inFile);
    expect(at(load(text, { environment }), path)).toBe(inVariable);
    expect(at(load(text, { environment, flags }), path)).toBe(inFlag);
    expect(at(load(text, { flags }), path)).toBe(inFlag);
    expect(at(load(undefined, { environment }), path)).toBe(inVariable);
  });

  test('and what stands beside it in the file is kept', () => {
    const { listen, admin } = load('listen: { host: ::1, port: 1 }\nadmin: { host: ::1 }', {
      flags: { port: '2', adminPort: '3' },
    });
    expect([listen, admin]).toEqual([
      { host: '::1', port: 2 },
      { host: '::1', port: 3 },
    ]);
  });
});

describe('the file', () => {
  test('is that of the flag, else that of WARMSWAP_CONFIG', () => {
    const other = join(folder, 'other.yaml');
    writeFileSync(other, 'workers: 7');
    writeFileSync(FILE, 'workers: 3');
    const environment = { WARMSWAP_CONFIG: other };
    expect(loadConfig({ flags: {}, environment }).workers).toBe(7);
    expect(loadConfig({ file: FILE, flags: {}, environment }).workers).toBe(3);
  });

  test('that is missing is refused with its path', () => {
    const file = join(folder, 'missing.yaml');
    expect(refusal(() => load(undefined, { file }))).toMatch(
      new RegExp(`^${file}: cannot be read: ENOENT`),
    );
  });

  test.each(['- 1', 'just text', '5'])('that holds %j is refused', (text) => {
    expect(refusal(() => load(text))).toBe(`${FILE}: expected a map of settings`);
  });

  test('takes texts from the environment', () => {
    expect(load('models: ${HOME}/m', { environment: { HOME: '/home/me' } }).models).toBe(
      '/home/me/m',
    );
    expect(refusal(() => load('models: ${HOME}/m'))).toBe(
      `${FILE}: the environment variable HOME is not set`,
    );
  });
});

describe('a relative models folder', () => {
  test('counts from the folder of the file that names it', () => {
    expect(load('models: ../repository').models).toBe(resolve(folder, '../repository'));
  });

  test('counts from the working directory when a flag or a variable names it', () => {
    expect(load('', { flags: { models: 'm' } }).models).toBe(resolve('m'));
    expect(load('', { environment: { WARMSWAP_MODELS: 'm' } }).models).toBe(resolve('m'));
  });
});

describe('an address that other machines reach', () => {
  test.each(['0.0.0.0', '::', '192.168.0.1', 'example.org', '127.example.org', '::ffff:127.0.0.1'])(
    '%s is refused for the data port unless auth.insecure is set, and always for the admin port',
    (host) => {
      const message = refusal(() => load('', { flags: { host } }));
      expect(message).toContain(`listen.host: ${host} is open to other machines`);
      expect(message).toContain('auth.insecure: true');
      expect(load('auth: { insecure: true }', { flags: { host } }).listen.host).toBe(host);
      const admin = `auth: { insecure: true }\nadmin: { host: "${host}" }`;
      expect(refusal(() => load(admin))).toContain(`admin.host: ${host} is not a loopback address`);
      const environment = { WARMSWAP_ADMIN_TOKEN: '1234567890123456' };
      expect(load(admin, { environment }).admin).toMatchObject({
        ...{ host, token: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      });
      expect(
        refusal(() => load(`${admin}\n`, { environment: { WARMSWAP_ADMIN_TOKEN: 'short' } })),
      ).toContain('admin.token: expected 16 to 256 characters');
    },
  );

  test.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1'])('%s is none', (host) => {
    expect(load('', { flags: { host } }).listen.host).toBe(host);
    expect(load(`admin: { host: "${host}" }`).admin.host).toBe(host);
  });
});

describe('a value that cannot be used is refused with its path', () => {
  test.each([
    ['listne: {}', 'unknown key listne (did you mean listen?)'],
    ['listen: { prot: 1 }', 'unknown key listen.prot (did you mean port?)'],
    ['swap: { drainTimout: 1s }', 'unknown key swap.drainTimout (did you mean drainTimeout?)'],
    ['limits: { maxConections: 1 }', 'unknown key limits.maxConections (did you mean maxConnec'],
    ['listen: { port: 65536 }', 'listen.port: expected a port, 0 to 65535'],
    ['listen: { port: -1 }', 'listen.port: expected a port, 0 to 65535'],
    ['listen: { host: "" }', 'listen.host: Too small'],
    ['listen: 9000', 'listen: Invalid input: expected object, received number'],
    ['workers: 0', 'workers: expected auto, 1 to 1024, or { min, max }'],
    ['workers: many', 'workers: expected auto, 1 to 1024, or { min, max }'],
    ['workers: { min: 1 }', 'workers: expected auto, 1 to 1024, or { min, max }'],
    ['workers: { min: 3, max: 2 }', 'workers: expected min to be at most max'],
    ['workers: 1025', 'workers: expected auto, 1 to 1024, or { min, max }'],
    ['workers: { min: 0, max: 2 }', 'workers.min: expected 1 to 1024'],
    ['device: tpu', 'device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['device: "cuda:"', 'device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['device: "cuda:0,"', 'device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['device: "cuda:01"', 'device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['device: "cuda:1,0,1"', 'device: names a GPU twice'],
    ['device: 0', 'device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['cuda: { memoryLimt: 1GiB }', 'unknown key cuda.memoryLimt (did you mean memoryLimit?)'],
    ['cuda: { memoryLimit: 0 }', 'cuda.memoryLimit: expected 1 to 8192GiB'],
    ['cuda: { arenaExtend: twice }', 'cuda.arenaExtend: Invalid option'],
    ['cuda: { tf32: yes please }', 'cuda.tf32: Invalid input: expected boolean'],
    ['gpu: { shareWeights: 1 }', 'gpu.shareWeights: Invalid input: expected boolean'],
    ['gpu: { shareWeight: true }', 'unknown key gpu.shareWeight (did you mean shareWeights?)'],
    ['ortLibrary: 1', 'ortLibrary: Invalid input: expected string'],
    ['limits: { maxMessageBytes: 2GiB }', 'limits.maxMessageBytes: Too big'],
    ['limits: { maxMessageBytes: 0 }', 'limits.maxMessageBytes: Too small'],
    ['limits: { maxMessageBytes: 64 }', 'limits.maxMessageBytes: expected a number with a unit'],
    ['limits: { idleTimeout: 7s }', 'limits.idleTimeout: expected 0 or 8s to 16m'],
    ['limits: { idleTimeout: 17m }', 'limits.idleTimeout: expected 0 or 8s to 16m'],
    ['limits: { bodyTimeout: 0s }', 'limits.bodyTimeout: expected 1us to 24 days'],
    ['limits: { rate: { perSecond: 0 } }', 'limits.rate.perSecond: Too small'],
    ['limits: { rate: { burst: 5 } }', 'limits.rate.perSecond: Invalid input'],
    [
      'limits: { rate: { perSecond: 5, burts: 5 } }',
      'unknown key limits.rate.burts (did you mean burst?)',
    ],
    ['limits: { maxMessageBytes: 64 }\nlimits: {}', 'Map keys must be unique'],
    ['swap: { drainTimeout: 0 }', 'swap.drainTimeout: expected 1us to 24 days'],
    ['swap: { drainTimeout: 600h }', 'swap.drainTimeout: expected 1us to 24 days'],
    ['swap: { drainTimeout: soon }', 'swap.drainTimeout: expected a number with a unit, such as'],
    ['swap: { drainTimeout: 100 }', 'swap.drainTimeout: expected a number with a unit, such as'],
    ['log: { level: loud }', 'log.level: Invalid option'],
    ['auth: { insecure: "yes" }', 'auth.insecure: Invalid input: expected boolean'],
  ])('%j', (text, problem) => {
    expect(refusal(() => load(text))).toContain(`${FILE}: ${problem}`);
  });

  test.each([
    ['port', 'abc', '--port: expected a port, 0 to 65535'],
    ['adminPort', '99999', '--admin-port: expected a port, 0 to 65535'],
    ['workers', '0', '--workers: expected auto, 1 to 1024, or { min, max }'],
    ['workers', '-1', '--workers: expected auto, 1 to 1024, or { min, max }'],
    ['device', 'gpu', '--device: expected auto, cpu, cuda, cuda:0,1 or webgpu'],
    ['logLevel', 'loud', '--log-level: Invalid option'],
  ])('from the flag %s with %s, which is named instead', (flag, value, problem) => {
    const message = refusal(() => load(undefined, { flags: { [flag]: value } }));
    expect(message).toContain(problem);
    expect(message).toContain(`got '${value}'`);
  });

  test('from a variable, which is named instead; a flag comes before it', () => {
    const environment = { WARMSWAP_PORT: 'abc' };
    expect(refusal(() => load('listen: {}', { environment }))).toBe(
      "WARMSWAP_PORT: expected a port, 0 to 65535, got 'abc'",
    );
    expect(load('', { environment, flags: { port: '9100' } }).listen.port).toBe(9100);
  });
});
