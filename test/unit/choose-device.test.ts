import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config/parse.js';
import { chooseDevice, type DeviceFacts } from '../../src/supervisor/device/choose-device.js';

const GPU = { index: 0, name: 'NVIDIA H200', uuid: 'GPU-1' };
const NVIDIA = {
  ...{ driver: '580.65.06', gpus: [GPU, { ...GPU, index: 1 }] },
  ...{ hasHardware: true, isHidden: false },
};
const LIBRARY = {
  ...{ path: '/ort/libonnxruntime.so.1', version: '1.30.0' },
  providers: ['CUDAExecutionProvider', 'CPUExecutionProvider'],
};
const PROVIDER = {
  path: '/ort/libonnxruntime_providers_cuda.so',
  libraries: [{ name: 'libcudart.so.13', path: '/cuda/libcudart.so.13' }],
};
const ALL = { nvidia: NVIDIA, library: LIBRARY, provider: PROVIDER };
const NO_DRIVER = { gpus: [], hasHardware: false, isHidden: false };

function refusal(wanted: string, facts: DeviceFacts): string[] {
  try {
    chooseDevice(wanted, facts);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(`device: ${wanted}: `, ''));
  }
  throw new Error('nothing was refused');
}

test('cpu asks for no reason', () => {
  expect(chooseDevice('cpu', {})).toEqual({ devices: ['cpu'], reason: 'device: cpu' });
});

const trials = (...problems: (string | undefined)[]) =>
  new Map(problems.map((problem, gpu) => [`cuda:${gpu}` as const, problem]));

test('where CUDA can be used, the GPUs that are asked for are taken, and no others', () => {
  const tried = { ...ALL, trials: trials(undefined, undefined) };
  const both = ['cuda:0', 'cuda:1'];
  expect(chooseDevice('auto', tried)).toEqual({ devices: both, reason: 'CUDA can be used' });
  expect(chooseDevice('cuda', tried)).toEqual({ devices: both, reason: 'device: cuda' });
  expect(chooseDevice('cuda:1', tried).devices).toEqual(['cuda:1']);
  expect(chooseDevice('cuda:1,0', tried).devices).toEqual(['cuda:1', 'cuda:0']);
});

test('auto leaves out GPUs on which no model runs, and takes the CPU where none is left', () => {
  expect(chooseDevice('auto', { ...ALL, trials: trials('busy', undefined) })).toEqual({
    devices: ['cuda:1'],
    reason: 'CUDA can be used; no model runs on GPU 0: busy',
  });
  expect(chooseDevice('auto', { ...ALL, trials: trials('busy', 'broken') })).toEqual({
    devices: ['cpu'],
    reason: 'no model runs on GPU 0: busy; no model runs on GPU 1: broken',
  });
});

test('auto takes the CPU and says why', () => {
  expect(chooseDevice('auto', { nvidia: NO_DRIVER })).toEqual({
    devices: ['cpu'],
    reason: 'there is no NVIDIA driver',
  });
  // Without a GPU nobody misses the libraries.
  const facts = { ...ALL, nvidia: NO_DRIVER, provider: { path: PROVIDER.path } };
  expect(chooseDevice('auto', facts).reason).toBe('there is no NVIDIA driver');
});

describe('cuda is refused, never replaced', () => {
  test('because no model runs on a GPU that is asked for', () => {
    const tried = { ...ALL, trials: trials(undefined, 'no cuDNN') };
    expect(refusal('cuda', tried)).toEqual(['no model runs on GPU 1: no cuDNN']);
    expect(refusal('cuda:1', tried)).toEqual(['no model runs on GPU 1: no cuDNN']);
    expect(chooseDevice('cuda:0', tried).devices).toEqual(['cuda:0']);
  });

  test.each<[string, string, DeviceFacts]>([
    ['a driver', 'there is no NVIDIA driver', { nvidia: NO_DRIVER }],
    [
      'a GPU',
      'there is no GPU that the NVIDIA driver 580.65.06 shows',
      { nvidia: { ...NVIDIA, gpus: [] } },
    ],
    [
      'a GPU that may be seen',
      'CUDA_VISIBLE_DEVICES hides every GPU',
      { nvidia: { ...NVIDIA, isHidden: true } },
    ],
    [
      "the driver's library",
      'libcuda.so.1 is missing',
      { driverLibrary: { name: 'libcuda.so.1' } },
    ],
    [
      'a library that opens',
      'cannot open it',
      { library: { path: '/ort/x', problem: 'cannot open it' } },
    ],
    [
      'CUDA in the library',
      '/ort/libonnxruntime.so.1 is built without the CUDA provider',
      { library: { ...LIBRARY, providers: ['CPUExecutionProvider'] } },
    ],
    [
      'the provider',
      '/ort/libonnxruntime_providers_cuda.so is missing; "warmswap setup cuda" installs it',
      { provider: { path: PROVIDER.path } },
    ],
    [
      'a provider that can be read',
      '/ort/libonnxruntime_providers_cuda.so cannot be read: no ELF file',
      { provider: { path: PROVIDER.path, problem: 'no ELF file' } },
    ],
    [
      'a library of CUDA',
      'libcudnn.so.9 is missing, which /ort/libonnxruntime_providers_cuda.so needs',
      { provider: { ...PROVIDER, libraries: [{ name: 'libcudnn.so.9' }] } },
    ],
    [
      'a library where the loader looks',
      'the dynamic loader does not look where /cuda/libcudart.so.13 is, which /ort/libonnxruntime_providers_cuda.so needs',
      {
        provider: {
          ...PROVIDER,
          libraries: [
            { name: 'libcudart.so.13', path: '/cuda/libcudart.so.13', isOutside: true as const },
          ],
        },
      },
    ],
  ])('for want of %s', (_, problem, facts) => {
    expect(refusal('cuda', { ...ALL, ...facts })).toEqual([problem]);
  });

  test('for want of a GPU that is named', () => {
    const problem = (number: number) => `there is no GPU ${number}; the numbers are 0, 1`;
    expect(refusal('cuda:1,2,3', ALL)).toEqual([problem(2), problem(3)]);
  });
});

test('webgpu is taken where a model ran on it, and refused with the cause where not', () => {
  const library = { ...LIBRARY, providers: ['WebGpuExecutionProvider', 'CPUExecutionProvider'] };
  const tried = (problem?: string) => ({
    library,
    trials: new Map([['webgpu' as const, problem]]),
  });
  const choice = { devices: ['webgpu'], reason: 'device: webgpu' };
  expect(chooseDevice('webgpu', tried())).toEqual(choice);
  expect(refusal('webgpu', tried('no adapter'))).toEqual(['no model runs on WebGPU: no adapter']);
  expect(refusal('webgpu', { library: LIBRARY })).toEqual([
    '/ort/libonnxruntime.so.1 is built without the WebGpu provider',
  ]);
});

test('auto does not take webgpu', () => {
  const library = { ...LIBRARY, providers: ['WebGpuExecutionProvider', 'CPUExecutionProvider'] };
  expect(chooseDevice('auto', { nvidia: NO_DRIVER, library }).devices).toEqual(['cpu']);
});
