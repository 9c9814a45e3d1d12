import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { encodeModel, model, tensor, writeModel, type Model } from '../../models/onnx/index.js';

const dir = mkdtempSync(join(tmpdir(), 'warmswap-onnx-'));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('tensor', () => {
  it('stores values little-endian', () => {
    expect(tensor('t', 'INT32', [2], [1, -2]).data).toEqual(
      Uint8Array.of(1, 0, 0, 0, 254, 255, 255, 255),
    );
    expect(tensor('t', 'BOOL', [2], [true, false]).data).toEqual(Uint8Array.of(1, 0));
    expect(tensor('t', 'FP32', [], [1]).data).toEqual(Uint8Array.of(0, 0, 128, 63));
  });

  it('refuses data that does not fit the shape', () => {
    expect(() => tensor('t', 'FP32', [2, 3], [1, 2])).toThrow(RangeError);
    expect(() => tensor('t', 'BYTES', [2], ['one'])).toThrow(RangeError);
  });

  it('refuses data that does not fit the datatype', () => {
    expect(() => tensor('t', 'FP16', [1], [1])).toThrow(TypeError);
    expect(() => tensor('t', 'INT8', [1], ['one'])).toThrow(TypeError);
    expect(() => tensor('t', 'BYTES', [1], () => undefined)).toThrow(TypeError);
  });
});

describe('external data', () => {
  it('starts every tensor at a multiple of the alignment and leaves small ones inline', () => {
    const initializers = [
      tensor('first', 'UINT8', [5], [1, 2, 3, 4, 5]),
      tensor('small', 'UINT8', [2], [6, 7]),
      tensor('second', 'UINT8', [4], [8, 9, 10, 11]),
    ];
    writeModel(dir, holding(initializers), {
      externalData: { file: 'data.bin', minBytes: 3, alignment: 8 },
    });
    expect([...readFileSync(join(dir, 'data.bin'))]).toEqual([
      1, 2, 3, 4, 5, 0, 0, 0, 8, 9, 10, 11,
    ]);
    const inlineBytes = Buffer.of(0x4a, 2, 6, 7); // field 9, raw_data, of length 2
    expect(readFileSync(join(dir, 'model.onnx')).includes(inlineBytes)).toBe(true);
  });

  it('asks a fill function for consecutive chunks and writes what it gives', () => {
    const bytes = 10_000_000;
    let asked = 0;
    const counted = tensor('counted', 'UINT32', [bytes / 4], (chunk, byteOffset) => {
      expect(byteOffset).toBe(asked);
      asked += chunk.byteLength;
      const words = new Uint32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength / 4);
      words.forEach((_, i) => (words[i] = byteOffset / 4 + i));
    });
    writeModel(dir, holding([counted]), { externalData: { file: 'counted.bin' } });
    const written = readFileSync(join(dir, 'counted.bin'));
    expect([asked, written.length]).toEqual([bytes, bytes]);
    expect(written.readUInt32LE(bytes - 4)).toBe(bytes / 4 - 1);
  });
});

it('encodes the same bytes for the same model', () => {
  const make = () => encodeModel(holding([tensor('t', 'BYTES', [2], ['a', 'b'])]));
  expect(make()).toEqual(make());
});

function holding(initializers: Model['graph']['initializers'] & object): Model {
  return model({ graph: { name: 'holding', inputs: [], outputs: [], nodes: [], initializers } });
}
