import { describe, expect, test } from 'vitest';
import { fromTensor, toTensor, type InputTensor } from '../../src/client/tensors.js';
import { WarmswapError } from '../../src/rpc/errors.js';
import type { Datatype } from '../../src/rpc/tensor.js';

const shape = [2];
const little = (...bytes: number[]) => Uint8Array.from(bytes);

const CASES: [Datatype, Exclude<InputTensor['data'], readonly unknown[]>, Uint8Array][] = [
  ['UINT8', Uint8Array.of(1, 255), little(1, 255)],
  ['UINT16', Uint16Array.of(1, 0xff00), little(1, 0, 0, 255)],
  ['UINT32', Uint32Array.of(1, 2 ** 31), little(1, 0, 0, 0, 0, 0, 0, 128)],
  ['UINT64', BigUint64Array.of(2n ** 63n), little(0, 0, 0, 0, 0, 0, 0, 128)],
  ['INT8', Int8Array.of(1, -1), little(1, 255)],
  ['INT16', Int16Array.of(1, -2), little(1, 0, 254, 255)],
  ['INT32', Int32Array.of(-2), little(254, 255, 255, 255)],
  ['INT64', BigInt64Array.of(-2n), little(254, 255, 255, 255, 255, 255, 255, 255)],
  ['FP32', Float32Array.of(1), little(0, 0, 128, 63)],
  ['FP64', Float64Array.of(1), little(0, 0, 0, 0, 0, 0, 240, 63)],
];

/** The datatypes that have no array class of their own. */
const NAMED: typeof CASES = [
  ['BOOL', Uint8Array.of(0, 1), little(0, 1)],
  ['FP16', Uint16Array.of(0x3c00), little(0, 60)],
  ['BF16', Uint16Array.of(0x3f80), little(128, 63)],
];

describe('an array', () => {
  test.each(CASES)('that names no datatype is %s', (datatype, data, bytes) => {
    expect(toTensor({ data, shape })).toEqual({ datatype, shape, data: bytes });
  });

  test.each([...CASES, ...NAMED])('goes as %s and comes back the same', (datatype, data, bytes) => {
    const tensor = toTensor({ data, shape, datatype });
    expect(tensor).toEqual({ datatype, shape, data: bytes });
    const back = fromTensor(tensor);
    expect(back).toEqual({ datatype, shape, data });
    expect(back.data.constructor).toBe(data.constructor);
  });

  test('is sent as a view on itself, within its bounds', () => {
    const data = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
    const sent = toTensor({ data, shape }).data as Uint8Array;
    expect(sent.buffer).toBe(data.buffer);
    expect([sent.byteOffset, sent.byteLength]).toEqual([4, 8]);
  });

  test('that is a Buffer is UINT8', () => {
    expect(toTensor({ data: Buffer.of(1, 2), shape })).toEqual({
      datatype: 'UINT8',
      shape,
      data: little(1, 2),
    });
  });
});

describe('texts and bytes', () => {
  test.each([[['a', 'ä']], [['\ufeff', '\ud83d\ude00']], [[little(1), little()]], [[]]])(
    '%o are BYTES',
    (data) => {
      expect(toTensor({ data, shape })).toEqual({ datatype: 'BYTES', shape, data });
      expect(toTensor({ data, shape, datatype: 'BYTES' }).data).toBe(data);
    },
  );

  test('come back as they are', () => {
    const tensor = { datatype: 'BYTES', shape, data: [little(1), little(2)] } as const;
    expect(fromTensor(tensor)).toEqual(tensor);
  });
});

describe('refused as INVALID_ARGUMENT is', () => {
  test.each([
    ['FP32', Float64Array.of(1), 'FP32 needs a Float32Array'],
    ['FP32', new Uint8Array(4), 'FP32 needs a Float32Array'],
    ['FP16', Float32Array.of(1), 'FP16 needs a Uint16Array'],
    ['BOOL', Int8Array.of(1), 'BOOL needs a Uint8Array'],
    ['INT64', Int32Array.of(1), 'INT64 needs a BigInt64Array'],
    ['BYTES', new Uint8Array(4), 'BYTES needs an array of bytes or texts'],
    ['BYTES', [1, 2], 'BYTES needs an array of bytes or texts'],
    ['BYTES', ['a', 'b\ud800'], 'element 1 is no Unicode text'],
    [undefined, ['\udc00b', 'a'], 'element 0 is no Unicode text'],
    ['FP32', [1, 2], 'FP32 needs a Float32Array'],
    ['FP32', ['1', '2'], 'FP32 needs a Float32Array'],
    [undefined, [1, 2], /data must be a typed array, or for BYTES an array of bytes or texts/],
    [undefined, new DataView(new ArrayBuffer(8)), /data must be a typed array/],
    [undefined, new Uint8ClampedArray(2), /data must be a typed array/],
    [undefined, 'text', /data must be a typed array/],
  ])('%s from %o', (datatype, data, message) => {
    const input = { data, shape, ...(datatype ? { datatype } : {}) } as unknown as InputTensor;
    const refused = () => toTensor(input);
    expect(refused).toThrow(WarmswapError);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('a tensor that came', () => {
  test('is a view where its bytes are aligned, else a copy', () => {
    const frame = new Uint8Array(24).fill(7);
    const aligned = fromTensor({ datatype: 'FP32', shape, data: frame.subarray(8, 16) });
    expect(aligned.data).toMatchObject({ buffer: frame.buffer, byteOffset: 8, length: 2 });
    const odd = fromTensor({ datatype: 'FP32', shape, data: frame.subarray(9, 17) });
    expect(odd.data).toEqual(aligned.data);
    expect((odd.data as Float32Array).buffer).not.toBe(frame.buffer);
  });

  test('is a copy where its bytes are a Buffer that is not aligned', () => {
    const pool = Buffer.from(new ArrayBuffer(24)).fill(7);
    const { data } = fromTensor({ datatype: 'FP32', shape, data: pool.subarray(9, 17) });
    expect(data).toEqual(new Float32Array(new Uint8Array(8).fill(7).buffer));
    expect((data as Float32Array).buffer).not.toBe(pool.buffer);
  });

  test('of single bytes is a view wherever it lies', () => {
    const frame = new Uint8Array(24);
    const { data } = fromTensor({ datatype: 'BOOL', shape, data: frame.subarray(9, 11) });
    expect(data).toMatchObject({ buffer: frame.buffer, byteOffset: 9, length: 2 });
  });

  test('is aligned by its own buffer, also when that is a part of another', () => {
    const pool = Buffer.from(new ArrayBuffer(64), 3, 32);
    const { data } = fromTensor({ datatype: 'INT64', shape, data: pool.subarray(5, 21) });
    expect(data).toMatchObject({ buffer: pool.buffer, byteOffset: 8, length: 2 });
  });

  test('without elements is empty', () => {
    expect(fromTensor({ datatype: 'FP64', shape: [0], data: new Uint8Array() }).data).toEqual(
      new Float64Array(),
    );
  });
});
