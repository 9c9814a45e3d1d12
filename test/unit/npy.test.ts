import { describe, expect, test } from 'vitest';
import { formatNpy, parseNpy } from '../../src/cli/npy.js';
import type { Datatype } from '../../src/rpc/tensor.js';
import { npyDict as dict, npyFile as numpyFile } from '../support/npy.js';

const bytesOf = (data: ArrayBufferView) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

// Written by numpy.save of NumPy 2.4.6, the third with the package ml_dtypes.
test.each([
  [
    'float32 of two dimensions',
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA=',
    { datatype: 'FP32', shape: [2, 3], data: bytesOf(Float32Array.of(0, 1, 2, 3, 4, 5)) },
  ],
  [
    'float16',
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPAC4',
    { datatype: 'FP16', shape: [2], data: bytesOf(Uint16Array.of(0x3c00, 0xb800)) },
  ],
  [
    'bfloat16',
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPFYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqAPwC/',
    { datatype: 'BF16', shape: [2], data: bytesOf(Uint16Array.of(0x3f80, 0xbf00)) },
  ],
  [
    'uint8 without a dimension',
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoF',
    { datatype: 'UINT8', shape: [], data: Buffer.of(5) },
  ],
] as const)('a file of %s is read, and written byte for byte', (_, base64, tensor) => {
  const file = Buffer.from(base64, 'base64');
  expect(parseNpy(file)).toEqual(tensor);
  expect(formatNpy(tensor)).toEqual(file);
});

test('a file of version 2 or 3 is read', () => {
  const data = BigInt64Array.of(1n, -2n);
  for (const version of [2, 3]) {
    expect(parseNpy(numpyFile(dict('<i8', '(2,)'), data, version))).toEqual({
      datatype: 'INT64',
      shape: [2],
      data: bytesOf(data),
    });
  }
});

test.each([
  ['BOOL', '|b1'],
  ['UINT8', '|u1'],
  ['UINT16', '<u2'],
  ['UINT32', '<u4'],
  ['UINT64', '<u8'],
  ['INT8', '|i1'],
  ['INT16', '<i2'],
  ['INT32', '<i4'],
  ['INT64', '<i8'],
  ['FP16', '<f2'],
  ['BF16', '<V2'],
  ['FP32', '<f4'],
  ['FP64', '<f8'],
] as [Datatype, string][])('%s is the dtype %s', (datatype, dtype) => {
  const bytes = new Uint8Array(Number(dtype.slice(2)) * 2).fill(1);
  const file = formatNpy({ datatype, shape: [2, 1], data: bytes });
  expect(file.toString('latin1')).toContain(`'descr': '${dtype}'`);
  expect(parseNpy(file)).toEqual({ datatype, shape: [2, 1], data: Buffer.from(bytes) });
});

test('a byte order where there is none, and odd spacing, are read', () => {
  const header = `{"descr":'<u1','fortran_order':False,'shape':(2,1)}`.replaceAll('"', "'");
  expect(parseNpy(numpyFile(header, Uint8Array.of(1, 2)))).toMatchObject({
    datatype: 'UINT8',
    shape: [2, 1],
  });
});

describe('what is refused', () => {
  const one = Float32Array.of(1);
  test.each([
    ['Fortran order', numpyFile(dict('<f4', '(1, 1)', 'True'), one), 'got Fortran order'],
    ['big-endian data', numpyFile(dict('>f4', '(1,)'), one), "got '>f4'"],
    ['complex numbers', numpyFile(dict('<c8', '(1,)'), new Uint8Array(8)), "got '<c8'"],
    ['objects', numpyFile(dict('|O', '(1,)'), one), "got '|O'"],
    ['texts', numpyFile(dict('<U1', '(1,)'), one), "got '<U1'"],
    [
      'records',
      numpyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", one),
      'got a structured one',
    ],
    ['no shape', numpyFile("{'descr': '<f4', 'fortran_order': False, }", one), 'no shape'],
    ['a negative size', numpyFile(dict('<f4', '(-1,)'), one), 'no shape'],
    ['too little data', numpyFile(dict('<f4', '(2,)'), one), 'expected 8 bytes of data'],
    ['too much data', numpyFile(dict('<f4', '(0,)'), one), 'expected 0 bytes of data'],
    ['an unknown version', numpyFile(dict('<f4', '(1,)'), one, 4), 'version 1 to 3, got 4'],
    ['a header that is cut', numpyFile(dict('<f4', '(1,)'), one).subarray(0, 60), 'its header'],
    ['another file', Buffer.from('PK\x03\x04 a zip archive'), 'got something else'],
    ['nothing', Buffer.alloc(0), 'got something else'],
  ])('%s', (_, file, message) => {
    expect(() => parseNpy(file)).toThrow(message);
  });

  test('BYTES to write', () => {
    expect(() => formatNpy({ datatype: 'BYTES', shape: [1], data: ['a'] })).toThrow('BYTES');
  });
});
