import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkShapes, readInputs } from '../../src/cli/input-options.js';
import { formatNpy } from '../../src/cli/npy.js';
import { UsageError } from '../../src/cli/usage-error.js';
import type { TensorSignature } from '../../src/client/index.js';

const x: TensorSignature = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
const tokens: TensorSignature = { name: 'a=b', datatype: 'INT64', shape: [-1, -1] };
const signature = [x, { ...tokens, name: 'tokens' }];
const values = Float32Array.of(1, 2, 3, 4);

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-inputs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

const expected = { datatype: 'FP32', shape: [2, 2], data: values };

test('an input comes inline, as JSON, as .npy and as raw bytes', async () => {
  const bytes = new Uint8Array(values.buffer);
  const npy = formatNpy({ datatype: 'FP32', shape: [2, 2], data: bytes });
  const given = [
    '1, 2, 3, 4',
    '[[1, 2], [3, 4]]',
    `@${await file('x.json', '[1, 2, 3, 4]')}`,
    `@${await file('x.npy', npy)}`,
    `@${await file('x.bin', bytes)}`,
  ];
  for (const value of given) {
    expect(await readInputs([`x=${value}`], {}, signature)).toEqual({ x: expected });
  }
});

test('a shape that is given replaces that of the data, which must fill it', async () => {
  const shapes = { tokens: [2, 3], x: [1, 4] };
  const raw = await file('tokens', new Uint8Array(BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n).buffer));
  const { tokens, x } = await readInputs(
    [`tokens=@${raw}`, 'x=[[1, 2], [3, 4]]'],
    shapes,
    signature,
  );
  expect(tokens?.shape).toEqual([2, 3]);
  expect(x).toEqual({ ...expected, shape: [1, 4] });
  await expect(readInputs(['x=1,2,3'], shapes, signature)).rejects.toThrow(
    "input 'x': --shape 1,4 holds 4 elements, got 3",
  );
});

test('a name may hold an equals sign', async () => {
  const inputs = await readInputs(['a=b=[[1]]'], {}, [tokens]);
  expect(inputs).toEqual({
    'a=b': { datatype: 'INT64', shape: [1, 1], data: BigInt64Array.of(1n) },
  });
});

test.each([
  ['x', 'NAME of x, tokens'],
  ['x=', 'NAME of x, tokens'],
  ['=1', 'NAME of x, tokens'],
  ['z=1', 'NAME of x, tokens'],
  ['x=@/nowhere/x.npy', 'ENOENT'],
])('%s is refused', async (text, message) => {
  const refused = readInputs([text], {}, signature);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});

test('an input that is given twice is refused', async () => {
  await expect(readInputs(['x=1,2', 'x=1,2'], {}, signature)).rejects.toThrow("'x' twice");
});

test('a file of NumPy with another dtype is refused, and names both', async () => {
  const npy = formatNpy({ datatype: 'FP64', shape: [1, 2], data: new Uint8Array(16) });
  const path = await file('x.npy', npy);
  await expect(readInputs([`x=@${path}`], {}, signature)).rejects.toThrow(
    "input 'x': expected FP32, got FP64 [1, 2]",
  );
});

test('a shape of what is no input is refused', () => {
  expect(() => checkShapes({ y: [1] }, signature)).toThrow("got 'y'");
  expect(() => checkShapes({ x: [1] }, signature)).not.toThrow();
});

test('a file of JSON that is no UTF-8 is refused', async () => {
  const path = await file('x.json', Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d));
  const read = readInputs([`t=@${path}`], {}, [{ name: 't', datatype: 'BYTES', shape: [-1] }]);
  await expect(read).rejects.toThrow(UsageError);
  await expect(read).rejects.toThrow(/^input 't': .*x\.json is no UTF-8$/);
});
