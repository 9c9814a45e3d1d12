import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fromFloat16, toFloat16 } from '../../src/client/float16.js';
import { writeConvolutional } from '../fixtures/convolutional.js';
import { LINEAR_INPUTS, linearAnswer } from '../fixtures/linear.js';
import { writeMlp } from '../fixtures/mlp.js';
import { hash32 } from '../fixtures/random.js';
import { writeFixtures } from '../fixtures/repository.js';
import { writeTransformer } from '../fixtures/transformer.js';

const root = mkdtempSync(join(tmpdir(), 'warmswap-fixtures-'));
const QUIET = { logSeverityLevel: 4 } as const;

beforeAll(() => {
  writeFixtures(root);
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('models that work', () => {
  it.each([1, 2, 3])('shift/%i adds its version', async (version) => {
    const { y } = await run(`shift/${version}`, { x: fp32([0, 1, 2, 3, 4, 5, 6, 7], [2, 4]) });
    expect(y?.dims).toEqual([2, 4]);
    expect(values(y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((x) => x + version));
  });

  it('changed-signature has a wider input in its second version', async () => {
    const first = await run('changed-signature/1', { x: fp32([1, 1, 1, 1], [1, 4]) });
    const second = await run('changed-signature/2', { x: fp32([1, 1, 1, 1, 1], [1, 5]) });
    expect(values(first.y)).toEqual([2, 2, 2, 2]);
    expect(values(second.y)).toEqual([3, 3, 3, 3, 3]);
  });

  it.each([
    ['bool', new Tensor('bool', [true, false, true])],
    ['uint8', new Tensor('uint8', [0, 7, 255])],
    ['uint16', new Tensor('uint16', [0, 7, 65535])],
    ['uint32', new Tensor('uint32', [0, 7, 4294967295])],
    ['uint64', new Tensor('uint64', [0n, 7n, 2n ** 64n - 1n])],
    ['int8', new Tensor('int8', [-128, 0, 127])],
    ['int16', new Tensor('int16', [-32768, 0, 32767])],
    ['int32', new Tensor('int32', [-(2 ** 31), 0, 2 ** 31 - 1])],
    ['int64', new Tensor('int64', [-(2n ** 63n), 0n, 2n ** 63n - 1n])],
    ['fp16', new Tensor('float16', Uint16Array.of(0x3c00, 0xbc00, 0x7bff), [3])],
    ['fp32', new Tensor('float32', [0.5, -1, 3e38])],
    ['fp64', new Tensor('float64', [0.1, -1, 1e308])],
    ['bytes', new Tensor('string', ['', 'one', 'zwölf'])],
  ])('identity-%s answers what it was given', async (datatype, x) => {
    const { y } = await run(`identity-${datatype}/1`, { x });
    expect([y?.type, y?.dims, y?.data]).toEqual([x.type, [3], x.data]);
  });

  it('identity-bf16 exists, though onnxruntime-node cannot name its datatype', async () => {
    await expect(open('identity-bf16/1')).rejects.toThrow('Unsupported data type: 16');
  });

  it('mixed answers both of its inputs', async () => {
    const b = new Tensor('int64', [5n, -(2n ** 60n)], [2]);
    const { sum, b2 } = await run('mixed/1', { a: fp32([1, 2, 3, 4, 5, 6], [2, 3]), b });
    expect([values(sum), sum?.dims]).toEqual([[6, 15], [2]]);
    expect([values(b2), b2?.dims]).toEqual([[10n, -(2n ** 61n)], [2]]);
  });

  it('scalar doubles a value of rank 0', async () => {
    const { y } = await run('scalar/1', { x: fp32([1.5], []) });
    expect([values(y), y?.dims]).toEqual([[3], []]);
  });

  it('ratio has NaN for zeros alone', async () => {
    const { y } = await run('ratio/1', { x: fp32([0, 1, -2, 3], [1, 4]) });
    expect(values(y)).toEqual([NaN, 1, 1, 1]);
  });

  it('linear computes with its external weights as documented', async () => {
    const rows = [0, 1].map((row) =>
      Array.from({ length: LINEAR_INPUTS }, (_, i) => (i % 5) - row),
    );
    const { y } = await run('linear/1', { x: fp32(rows.flat(), [2, LINEAR_INPUTS]) });
    expect(values(y)).toEqual(rows.flatMap(linearAnswer));
    expect(statSync(join(root, 'linear/1/weights.bin')).size).toBe(4096 + LINEAR_INPUTS * 8 * 4);
  });

  it.each([0n, 1n, 1000n])('slow counts %i iterations', async (iterations) => {
    const feeds = { iterations: new Tensor('int64', [iterations], []), x: fp32([0.5], [1]) };
    expect(values((await run('slow/1', feeds)).y)).toEqual([Number(iterations) + 0.5]);
  });
});

describe('models that fail', () => {
  it('fails-at-run refuses an odd number of values only when it runs', async () => {
    const { y } = await run('fails-at-run/1', { x: fp32([1, 2, 3, 4], [4]) });
    expect([values(y), y?.dims]).toEqual([
      [1, 2, 3, 4],
      [2, 2],
    ]);
    await expect(run('fails-at-run/1', { x: fp32([1, 2, 3], [3]) })).rejects.toThrow('Reshape');
  });

  it.each(['garbage/1', 'truncated/1'])('%s is no model', async (folder) => {
    await expect(open(folder)).rejects.toThrow('Protobuf parsing failed');
  });

  it('missing-external lacks its data file', async () => {
    expect(existsSync(join(root, 'missing-external/1/weights.bin'))).toBe(false);
    await expect(open('missing-external/1')).rejects.toThrow('weights.bin');
  });
});

describe('models that Warmswap refuses', () => {
  it.each(['sequence-output/1', 'map-output/1'])(
    '%s has an output that is no tensor',
    async (f) => {
      const session = await open(f);
      expect(session.outputMetadata).toEqual([{ name: 'y', isTensor: false }]);
    },
  );

  it('optional-input has an input that is no tensor', async () => {
    const session = await open('optional-input/1');
    expect(session.inputMetadata).toEqual([{ name: 'x', isTensor: false }]);
    expect(values((await session.run({ x: fp32([1, 2], [2]) })).y)).toEqual([2, 3]);
  });
});

describe('generation', () => {
  it('gives the same bytes again', () => {
    const before = snapshot();
    writeFixtures(root);
    expect(snapshot()).toEqual(before);
  });
});

describe('mlp', () => {
  const options = { width: 48, layers: 20, seed: 7 };
  const x = fp32(
    Array.from({ length: 96 }, (_, i) => Math.sin(i)),
    [2, 48],
  );

  beforeAll(() => {
    writeMlp(join(root, 'mlp-inline/1'), options);
  });

  it('answers finite values of the size of its input, inline or external', async () => {
    writeMlp(join(root, 'mlp-external/1'), { ...options, external: true });
    const inline = values((await run('mlp-inline/1', { x })).y) as number[];
    expect(values((await run('mlp-external/1', { x })).y)).toEqual(inline);
    expect(Math.max(...inline)).toBeGreaterThan(0.01);
    expect(Math.max(...inline)).toBeLessThan(100);
  });

  it('answers in FP16 as in FP32, but for rounding', async () => {
    writeMlp(join(root, 'mlp-fp16/1'), { ...options, datatype: 'FP16' });
    const rows = new Tensor(
      'float16',
      toFloat16(Float32Array.from(x.data as Float32Array)),
      x.dims,
    );
    const { y } = await run('mlp-fp16/1', { x: rows });
    const half = fromFloat16(y?.data as unknown as Uint16Array);
    const full = values((await run('mlp-inline/1', { x })).y) as number[];
    const largest = Math.max(...full);
    expect(half).toHaveLength(full.length);
    for (const [i, value] of full.entries()) {
      expect(Math.abs((half[i] ?? NaN) - value)).toBeLessThan(0.02 * largest);
    }
  });

  it('has other weights for another seed', async () => {
    writeMlp(join(root, 'mlp-8/1'), { ...options, seed: 8 });
    const [seven, eight] = [await run('mlp-inline/1', { x }), await run('mlp-8/1', { x })];
    expect(values(seven.y)).not.toEqual(values(eight.y));
  });
});

describe('models of other shapes', () => {
  const row = (width: number, seed: number) =>
    Array.from({ length: width }, (_, i) => hash32(i, seed) / 2 ** 31);
  const answer = async (folder: string, rows: number[][]) =>
    values((await run(folder, { x: fp32(rows.flat(), [rows.length, rows[0]?.length ?? 0]) })).y);

  beforeAll(() => {
    writeTransformer(join(root, 'transformer/1'), { tokens: 4, width: 8, heads: 2, layers: 2 });
    const shape = { side: 8, channels: 4, stages: 2, classes: 5 };
    writeConvolutional(join(root, 'convolutional/1'), shape);
  });

  it.each([
    ['transformer/1', 4 * 8, 4 * 8],
    ['convolutional/1', 3 * 8 * 8, 5],
  ])(
    '%s answers each row by itself, in values of the size of its input',
    async (name, from, to) => {
      const [a, b] = [row(from, 1), row(from, 2)];
      const both = (await answer(name, [a, b])) as number[];
      expect(both).toHaveLength(2 * to);
      const alone = [...(await answer(name, [a])), ...(await answer(name, [b]))] as number[];
      both.forEach((value, i) => expect(value).toBeCloseTo(alone[i] ?? NaN, 4));
      expect(both.slice(0, to)).not.toEqual(both.slice(to));
      const size = Math.max(...both.map(Math.abs));
      expect(size).toBeGreaterThan(0.001);
      expect(size).toBeLessThan(100);
    },
  );

  it('a token of the transformer sees the others', async () => {
    const [before, after] = [row(4 * 8, 1), row(4 * 8, 1).fill(0.5, 3 * 8)];
    const [first, changed] = [before, after].map((it) => answer('transformer/1', [it]));
    expect((await first)?.slice(0, 8)).not.toEqual((await changed)?.slice(0, 8));
  });
});

function open(folder: string): Promise<InferenceSession> {
  return InferenceSession.create(join(root, folder, 'model.onnx'), QUIET);
}

async function run(
  folder: string,
  feeds: InferenceSession.FeedsType,
): Promise<InferenceSession.ReturnType> {
  const session = await open(folder);
  try {
    return await session.run(feeds, QUIET);
  } finally {
    await session.release();
  }
}

function fp32(data: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('float32', data, dims);
}

function values(tensor: Tensor | undefined): unknown[] {
  return [...((tensor?.data ?? []) as Iterable<unknown>)];
}

/** Every file's path and contents. */
function snapshot(): [string, string][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path, 'base64')]);
}
