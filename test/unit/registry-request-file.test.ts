import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readRequestFiles } from '../../src/registry/request-file.js';
import type { Datatype, TensorSignature } from '../../src/rpc/tensor.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'warmswap-requests-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(name: string, content: unknown): string {
  const path = join(root, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const input = (datatype: Datatype, shape: readonly number[] = [-1]): TensorSignature => ({
  name: 'x',
  datatype,
  shape,
});
const request = (datatype: string, shape: unknown, data: unknown) => ({
  inputs: { x: { datatype, shape, data } },
});

describe('a file', () => {
  test.each([
    ['FP32', [0.5, -1], Float32Array.of(0.5, -1)],
    ['FP64', [0.1, 'NaN'], Float64Array.of(0.1, NaN)],
    ['FP16', [1, -0.5], Uint16Array.of(0x3c00, 0xb800)],
    ['BF16', [1, -0.5], Uint16Array.of(0x3f80, 0xbf00)],
    ['INT64', [-1, '9223372036854775807'], BigInt64Array.of(-1n, 2n ** 63n - 1n)],
    ['UINT64', [1, '18446744073709551615'], BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ['BOOL', [true, 0], Uint8Array.of(1, 0)],
  ] as const)('gives %s from %j', async (datatype, data, array) => {
    const path = write('a.json', request(datatype, [2], data));
    const x = { datatype, shape: [2], data: new Uint8Array(array.buffer) };
    expect(await readRequestFiles([path], [input(datatype)])).toEqual([{ path, inputs: { x } }]);
  });

  test('gives texts as they are', async () => {
    const path = write('a.json', request('BYTES', [2], ['ä', '']));
    const [read] = await readRequestFiles([path], [input('BYTES')]);
    expect(read?.inputs.x?.data).toEqual(['ä', '']);
  });

  test('may nest its data', async () => {
    const path = write(
      'a.json',
      request(
        'UINT8',
        [2, 2],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    );
    const [read] = await readRequestFiles([path], [input('UINT8', [-1, 2])]);
    expect(read?.inputs.x).toEqual({
      datatype: 'UINT8',
      shape: [2, 2],
      data: Uint8Array.of(1, 2, 3, 4),
    });
  });
});

describe('refused is', () => {
  const fine = request('FP32', [1], [1]);
  test.each([
    ['no JSON', '{', /JSON/],
    ['no object', 7, 'the document: Invalid input: expected object, received number'],
    ['without inputs', {}, 'inputs: Invalid input: expected record'],
    ['an unknown key', { ...fine, output: {} }, 'the document: Unrecognized key: "output"'],
    ['an unknown datatype', request('FP8', [1], [1]), 'inputs.x.datatype: Invalid option'],
    ['a free dimension', request('FP32', [-1], [1]), 'inputs.x.shape.0: Too small'],
    ['no array', request('FP32', [1], 1), 'inputs.x.data: expected an array'],
    [
      'another number of elements',
      request('FP32', [2, 2], [[1, 2], [3]]),
      "input 'x': expected 4 elements for [2, 2], got 3",
    ],
    ['another kind of element', request('FP32', [1], ['a']), `input 'x': "a" is no FP32`],
    [
      'another datatype than the model has',
      request('INT32', [1], [1]),
      "input 'x': expected FP32 [?], got INT32 [1]",
    ],
    ['another rank', request('FP32', [1, 1], [1]), "input 'x': expected FP32 [?], got FP32 [1, 1]"],
    ['a missing input', { inputs: {} }, "input 'x': expected FP32 [?], got none"],
    [
      'an unknown input',
      { inputs: { ...fine.inputs, z: fine.inputs.x } },
      "there is no input 'z'; the inputs are x",
    ],
  ])('%s', async (_, content, reason) => {
    const path = write('a.json', content);
    const read = readRequestFiles([path], [input('FP32')]);
    await expect(read).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(read).rejects.toThrow(`${path}: `);
    await expect(read).rejects.toThrow(reason);
  });

  test('what is no UTF-8', async () => {
    const path = write('a.json', '');
    writeFileSync(path, Uint8Array.of(0x22, 0xff, 0x22));
    await expect(readRequestFiles([path], [])).rejects.toThrow('a.json: expected UTF-8');
  });

  test('data nested too deep to be looked at', async () => {
    const depth = 200_000;
    const data = '['.repeat(depth) + ']'.repeat(depth);
    const text = `{"inputs": {"x": {"datatype": "FP32", "shape": [1], "data": ${data}}}}`;
    const read = readRequestFiles([write('a.json', text)], [input('FP32')]);
    await expect(read).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('what is no regular file', async () => {
    mkdirSync(join(root, 'a.json'));
    await expect(readRequestFiles([join(root, 'a.json')], [])).rejects.toThrow(
      'a.json: expected a regular file',
    );
    await expect(readRequestFiles([join(root, 'b.json')], [])).rejects.toThrow('b.json: ENOENT');
  });

  test('a file that is too big, before it is read', async () => {
    const path = write('a.json', '');
    truncateSync(path, 16 * 2 ** 20 + 1);
    await expect(readRequestFiles([path], [])).rejects.toThrow(
      'expected at most 16777216 bytes, got 16777217',
    );
  });

  test('a file that is too much together with those before it', async () => {
    const small = JSON.stringify({ inputs: {} });
    const paths = ['a', 'b', 'c', 'd'].map((name) => write(name, small.padEnd(16 * 2 ** 20)));
    expect(await readRequestFiles(paths, [])).toHaveLength(4);
    await expect(readRequestFiles([...paths, write('e.json', small)], [])).rejects.toThrow(
      'e.json: expected at most 0 bytes, what the files before leave of 67108864, got 13',
    );
  });

  test('more than 64 files', async () => {
    const paths = Array.from({ length: 65 }, (_, i) => join(root, `${i}.json`));
    await expect(readRequestFiles(paths, [])).rejects.toThrow(
      '0.json: expected at most 64 files in its folder, got more',
    );
  });
});
