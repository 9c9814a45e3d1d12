import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { randomInputs } from '../../src/cli/bench/random-inputs.js';
import { requestInputs, type InputFlags } from '../../src/cli/bench/request-inputs.js';
import { UsageError } from '../../src/cli/usage-error.js';
import { float32Values } from '../../src/client/index.js';
import { fromTensor } from '../../src/client/tensors.js';
import type { Datatype, Tensor } from '../../src/rpc/tensor.js';

const x = { name: 'x', datatype: 'FP32', shape: [-1, 4] } as const;
const flags = (some: Partial<InputFlags> = {}): InputFlags => ({ input: [], shape: {}, ...some });

function valuesOf(datatype: Datatype): number[] {
  const { x } = randomInputs([{ name: 'x', datatype, shape: [1000] }], {}, 1);
  const output = fromTensor(x as Tensor);
  const values =
    datatype.endsWith('16') && !datatype.includes('INT') ? float32Values(output) : output.data;
  return Array.from(values as ArrayLike<number | bigint>, Number);
}

describe('random inputs', () => {
  test.each(['FP16', 'BF16', 'FP32', 'FP64'] as const)('of %s are between -1 and 1', (datatype) => {
    const values = valuesOf(datatype);
    expect(values).toHaveLength(1000);
    expect(values.every((value) => value >= -1 && value <= 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(100);
  });

  test.each(['BOOL', 'UINT16', 'UINT32', 'UINT64', 'INT16', 'INT32', 'INT64'] as const)(
    'of %s are 0 or 1',
    (datatype) => {
      expect(new Set(valuesOf(datatype))).toEqual(new Set([0, 1]));
    },
  );

  test('of 8 bits are any', () => {
    expect(Math.max(...valuesOf('UINT8'))).toBeGreaterThan(250);
    expect(Math.min(...valuesOf('INT8'))).toBeLessThan(-120);
  });

  test('of BYTES are words', () => {
    const { t } = randomInputs([{ name: 't', datatype: 'BYTES', shape: [-1] }], { t: [3] }, 1);
    expect(t?.shape).toEqual([3]);
    for (const word of t?.data ?? []) expect(word).toMatch(/^[a-z]{1,12}$/);
  });

  test('are the same for the same seed alone, and free dimensions are 1', () => {
    const first = randomInputs([x], {}, 1);
    expect(first.x?.shape).toEqual([1, 4]);
    expect(randomInputs([x], {}, 1)).toEqual(first);
    expect(randomInputs([x], {}, 2)).not.toEqual(first);
  });

  test('that would be huge are refused', () => {
    const refused = () => randomInputs([x], { x: [1e6, 1e6] }, 1);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow("input 'x': [1000000, 1000000] takes 4000000000000 bytes");
  });
});

describe('the requests of a load', () => {
  test('are several, with what is given in each of them', async () => {
    const signature = [x, { name: 'n', datatype: 'INT32', shape: [-1] } as const];
    const all = await requestInputs(flags({ input: ['n=7'], shape: { x: [2, 4] } }), signature);
    expect(all).toHaveLength(16);
    expect(new Set(all.map((inputs) => String(inputs.x?.data))).size).toBe(16);
    for (const inputs of all) {
      expect(inputs.n).toMatchObject({ shape: [1], data: Uint8Array.of(7, 0, 0, 0) });
      expect(inputs.x?.shape).toEqual([2, 4]);
    }
  });

  test('are one where all is given', async () => {
    expect(await requestInputs(flags({ input: ['x=1,2,3,4'] }), [x])).toHaveLength(1);
  });

  test('are fewer where they are big', async () => {
    const all = await requestInputs(flags({ shape: { x: [2 ** 20, 4] } }), [x]);
    expect(all).toHaveLength(4);
  });

  test('must fit the signature', async () => {
    const refused = requestInputs(flags({ shape: { x: [1, 5] } }), [x]);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow("input 'x': expected FP32 [?, 4], got FP32 [1, 5]");
  });
});

describe('recorded requests', () => {
  const request = (value: number) => ({
    inputs: { x: { datatype: 'FP32', shape: [1, 4], data: [[value, 0, 0, 0]] } },
  });
  const firsts = (all: readonly Readonly<Record<string, Tensor>>[]) =>
    all.map(({ x }) => (fromTensor(x as Tensor).data as Float32Array)[0]);

  async function read(text: string | Uint8Array) {
    const folder = await mkdtemp(join(tmpdir(), 'warmswap-requests-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'requests.jsonl');
    await writeFile(path, text);
    return requestInputs(flags({ requests: path }), [x]);
  }

  test('are one in each line', async () => {
    const lines = [1, 2, 3].map((value) => JSON.stringify(request(value)));
    expect(firsts(await read(`${lines.join('\n')}\n\n`))).toEqual([1, 2, 3]);
  });

  test('or one in the whole file, as that of a warm-up', async () => {
    expect(firsts(await read(JSON.stringify(request(5), null, 2)))).toEqual([5]);
  });

  test.each([
    ['nothing', '', 'expected a request, got an empty file'],
    ['no JSON', 'x', 'JSON'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'requests.jsonl: expected UTF-8'],
    ['no request', '{"inputs": 1}', 'requests.jsonl:1: inputs'],
    ['a line that is cut', `${JSON.stringify(request(1))}\n{"inputs"`, 'requests.jsonl:2: '],
    [
      'an unknown input',
      '{"inputs": {"z": {"datatype": "FP32", "shape": [], "data": [1]}}}',
      "'z'",
    ],
    [
      'another shape',
      '{"inputs": {"x": {"datatype": "FP32", "shape": [1], "data": [1]}}}',
      'got FP32 [1]',
    ],
  ])('that hold %s are refused', async (_, text, message) => {
    const refused = read(text);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
  });

  test('of a file that is not there are refused', async () => {
    const refused = requestInputs(flags({ requests: '/nowhere' }), [x]);
    await expect(refused).rejects.toThrow('ENOENT');
  });
});
