import { describe, expect, test } from 'vitest';
import type { CudaSettings } from '../../src/config/cuda.js';
import type { Device } from '../../src/config/device.js';
import { parseYaml, validate } from '../../src/config/parse.js';
import { daemonSchema, modelSchema } from '../../src/config/schema.js';
import { instancesOf, placeModel, type Placement } from '../../src/supervisor/model-placement.js';

const DEFAULTS = {
  arenaExtend: 'same-as-requested',
  convAlgorithmSearch: 'heuristic',
  tf32: true,
  graphs: false,
  loader: 'onnxruntime',
} as const;
const CUDA: CudaSettings = DEFAULTS;
const GPUS: readonly Device[] = ['cuda:0', 'cuda:2'];

function modelOf(modelYaml: string) {
  return validate(modelSchema, parseYaml(modelYaml, 'test', {}), 'model.yaml');
}

function place(modelYaml: string, devices: readonly Device[], daemonYaml = '') {
  const daemon = { models: '/models', ...(parseYaml(daemonYaml, 'test', {}) as object) };
  const { cuda } = validate(daemonSchema, daemon, 'warmswap.yaml');
  return placeModel(modelOf(modelYaml), { devices, cuda });
}

test('without a word a model runs on the device of each worker', () => {
  expect(place('', ['cpu'])).toEqual({});
  expect(place('', GPUS)).toEqual({ cuda: DEFAULTS });
  expect(place('device: cuda', GPUS)).toEqual({ cuda: DEFAULTS });
});

test('a model has the device that its file names, in every worker', () => {
  expect(place('device: cuda:2', GPUS)).toEqual({ device: 'cuda:2', cuda: DEFAULTS });
  expect(place('device: cpu', GPUS)).toEqual({ device: 'cpu' });
  expect(place('device: cpu', ['cpu'])).toEqual({});
});

test('what the model says of CUDA beats what the daemon says', () => {
  const daemon = 'cuda: { tf32: false, memoryLimit: 4GiB, arenaExtend: next-power-of-two }';
  expect(place('cuda: { graphs: true, memoryLimit: 1GiB, loader: direct }', GPUS, daemon)).toEqual({
    cuda: {
      ...{ ...DEFAULTS, tf32: false, arenaExtend: 'next-power-of-two' },
      ...{ graphs: true, memoryLimitBytes: 2 ** 30, loader: 'direct' },
    },
  });
});

describe('a model that cannot be placed is told why', () => {
  test.each([
    ['device: cuda:1', GPUS, "device: cuda:1 is none of the daemon's: cuda:0, cuda:2"],
    ['device: cuda:0', ['cpu'] as const, "device: cuda:0 is none of the daemon's: cpu"],
    ['device: cuda', ['cpu'] as const, "device: cuda is none of the daemon's: cpu"],
    ['execution: inline', GPUS, 'execution: inline is for models on the CPU'],
    ['instances: 2\ncuda: { graphs: true }', GPUS, 'cuda.graphs: true takes instances: 1, got 2'],
  ])('%s', (yaml, devices, reason) => {
    expect(place(yaml, devices)).toBe(reason);
  });
});

test.each([
  ['batching: { maxBatch: 8 }', GPUS, 2],
  ['batching: { maxBatch: 8 }\ninstances: 1', GPUS, 1],
  ['batching: { maxBatch: 8 }\ninstances: 3', GPUS, 3],
  ['batching: { maxBatch: 8 }\ncuda: { graphs: true }', GPUS, 1],
  ['', GPUS, 1],
  ['batching: { maxBatch: 8 }', ['cpu'] as const, 1],
  ['batching: { maxBatch: 8 }\ndevice: cpu', GPUS, 1],
  ['batching: { maxBatch: 8 }', ['webgpu'] as const, 1],
])('batches are formed while another runs on a GPU: %s', (yaml, devices, instances) => {
  const placement = place(yaml, devices);
  if (typeof placement === 'string') throw new Error(placement);
  expect(instancesOf(modelOf(yaml), placement)).toBe(instances);
});

test('what is of GPUs alone does not hold up a model on the CPU', () => {
  expect(place('instances: 2\nexecution: inline\ncuda: { graphs: true }', ['cpu'])).toEqual({});
});

test('weights are shared where several workers run a model on one GPU, if that is asked for', () => {
  const model = (yaml: string) => validate(modelSchema, parseYaml(yaml, 'test', {}), 'model.yaml');
  const isShared = (yaml: string, sharers?: number) => {
    const host = { devices: GPUS, cuda: CUDA, ...(sharers === undefined ? {} : { sharers }) };
    return (placeModel(model(yaml), host) as Placement).sharesWeights;
  };
  expect(isShared('', 3)).toBe(true);
  expect(isShared('', 2)).toBeUndefined();
  expect(isShared('device: cuda:2', 2)).toBe(true);
  expect(isShared('device: cuda:2', 1)).toBeUndefined();
  expect(isShared('device: cpu', 3)).toBeUndefined();
  expect(isShared('')).toBeUndefined();
});
