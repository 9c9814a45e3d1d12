/** Files of NumPy as its own `save` writes them, also ones that Warmswap refuses. */

export function npyFile(dict: string, data: ArrayBufferView, version = 1): Buffer {
  const prefix = version === 1 ? 10 : 12;
  const length = Math.ceil((prefix + dict.length + 1) / 64) * 64 - prefix;
  const size = Buffer.alloc(prefix - 8);
  size.writeUIntLE(length, 0, size.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    size,
    Buffer.from(`${dict.padEnd(length - 1)}\n`),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

/** The text of a header. */
export function npyDict(descr: string, shape: string, fortran = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
}
