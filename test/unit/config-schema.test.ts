import { describe, expect, test } from 'vitest';
import { parseYaml, validate } from '../../src/config/parse.js';
import { modelSchema } from '../../src/config/schema.js';

const parse = (text: string) =>
  validate(modelSchema, parseYaml(text, 'model.yaml', {}), 'model.yaml');

test('a model.yaml that sets nothing gives the defaults', () => {
  const defaults = {
    versions: 'latest',
    labels: {},
    sha256: {},
    queue: { maxSize: 1024, priorities: 3 },
    threads: { spinning: false },
    execution: 'auto',
    device: 'auto',
    cuda: {},
    quickStart: true,
    warmup: { runs: 3, shapes: {}, maxDuration: 10_000 },
  };
  for (const text of ['', 'queue: {}\nwarmup: {}\nlabels: {}'])
    expect(parse(text)).toEqual(defaults);
});

const SHA256 = 'ab'.repeat(32);

test('a model.yaml that sets everything is taken as it is', () => {
  const text = `
    versions: [1, 3]
    active: 3
    labels: { stable: 3, canary_2-b: 1 }
    sha256: { 3: ${SHA256.toUpperCase()} }
    queue: { maxSize: 8, deadline: 100ms, priorities: 2 }
    batching: { maxBatch: 32, maxDelay: 500us }
    instances: 2
    threads: { intraOp: 4, spinning: true }
    execution: inline
    device: cuda:1
    cuda:
      memoryLimit: 4GiB
      arenaExtend: next-power-of-two
      convAlgorithmSearch: exhaustive
      tf32: false
      graphs: true
      loader: direct
    quickStart: false
    warmup:
      runs: 0
      shapes: { x: [1, 512], scalar: [], "a b/c": [0] }
      batchSizes: [1, 32]
      maxDuration: 2s`;
  expect(parse(text)).toEqual({
    versions: [1, 3],
    active: 3,
    labels: { stable: 3, 'canary_2-b': 1 },
    sha256: { 3: SHA256 },
    queue: { maxSize: 8, deadline: 100, priorities: 2 },
    batching: { maxBatch: 32, maxDelay: 0.5 },
    instances: 2,
    threads: { intraOp: 4, spinning: true },
    execution: 'inline',
    device: 'cuda:1',
    cuda: {
      memoryLimit: 4 * 2 ** 30,
      arenaExtend: 'next-power-of-two',
      convAlgorithmSearch: 'exhaustive',
      tf32: false,
      graphs: true,
      loader: 'direct',
    },
    quickStart: false,
    warmup: {
      runs: 0,
      shapes: { x: [1, 512], scalar: [], 'a b/c': [0] },
      batchSizes: [1, 32],
      maxDuration: 2_000,
    },
  });
});

test.each([
  ['latest', 'latest'],
  ['all', 'all'],
  ['{ latest: 2 }', { latest: 2 }],
  ['[7]', [7]],
])('versions may be %s', (text, versions) => {
  expect(parse(`versions: ${text}`).versions).toEqual(versions);
});

describe('refused is', () => {
  test.each([
    ['versions: newest', 'versions: expected latest, { latest: N }, all or a list of versions'],
    [
      'versions: { last: 2 }',
      'versions: expected latest, { latest: N }, all or a list of versions',
    ],
    ['versions: { latest: 0 }', 'versions'],
    ['versions: []', 'versions: Too small'],
    ['versions: [0]', 'versions'],
    ['active: 0', 'active: Too small'],
    ['active: "3"', 'active: Invalid input: expected number, received string'],
    [
      'labels: { 1st: 3 }',
      'labels.1st: the name: expected a letter, then letters, digits, _ and -',
    ],
    ['labels: { a: latest }', 'labels.a: Invalid input: expected number, received string'],
    ['labels: [1]', 'labels: Invalid input: expected record, received array'],
    ['queue: { maxSize: 0 }', 'queue.maxSize: Too small'],
    ['queue: { maxsize: 1 }', 'unknown key queue.maxsize (did you mean maxSize?)'],
    ['queue: { deadline: 0 }', 'queue.deadline: expected 1us to 24 days'],
    ['threads: { intraOp: 0 }', 'threads.intraOp: Too small'],
    ['threads: { intraOp: auto }', 'threads.intraOp: Invalid input: expected number'],
    ['threads: { intraop: 2 }', 'unknown key threads.intraop (did you mean intraOp?)'],
    ['threads: { spin: true }', 'unknown key threads.spin (known: intraOp, spinning)'],
    ['device: cuda:0,1', 'device: expected auto, cpu, cuda or cuda:0'],
    ['device: webgpu', 'device: expected auto, cpu, cuda or cuda:0'],
    ['cuda: { loader: pinned }', 'cuda.loader'],
    ['cuda: { graph: true }', 'unknown key cuda.graph (did you mean graphs?)'],
    ['cuda: { memoryLimit: lots }', 'cuda.memoryLimit: expected a number with a unit, such as 64B'],
    ['thread: 2', 'unknown key thread (did you mean threads?)'],
    ['warmup: { runs: 1001 }', 'warmup.runs: Too big'],
    ['warmup: { shapes: { x: [-1] } }', 'warmup.shapes.x.0: Too small'],
    ['warmup: { shapes: { x: 3 } }', 'warmup.shapes.x: Invalid input: expected array'],
    ['warmup: { maxDuration: 0 }', 'warmup.maxDuration: expected 1us to 24 days'],
    ['warmup: { batchSizes: [] }', 'warmup.batchSizes: Too small'],
    ['warmup: { batchSizes: [1] }', 'warmup.batchSizes.0: expected none without batching, got 1'],
    [
      'batching: { maxBatch: 4 }\nwarmup: { batchSizes: [0] }',
      'warmup.batchSizes.0: Too small: expected number to be >=1',
    ],
    [
      'batching: { maxBatch: 4 }\nwarmup: { batchSizes: [4, 5] }',
      'warmup.batchSizes.1: expected 1 to batching.maxBatch, 4, got 5',
    ],
    ['warmup: { batchsizes: [1] }', 'unknown key warmup.batchsizes (did you mean batchSizes?)'],
    ['sha256: { latest: abc }', 'sha256.latest: the name: expected the number of a version'],
    ['sha256: { 3: abc }', 'sha256.3: expected a SHA-256 as 64 hexadecimal digits'],
    ['label: { a: 1 }', 'unknown key label (did you mean labels?)'],
  ])('%j', (text, problem) => {
    expect(() => parse(text)).toThrow(`model.yaml: ${problem}`);
  });
});
