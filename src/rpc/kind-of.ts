/** A short word for what came instead of what was expected, without repeating a big value. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nil';
  if (value instanceof Uint8Array) return `bin of ${value.length} bytes`;
  if (ArrayBuffer.isView(value)) return `a bare ${value.constructor.name}`;
  if (Array.isArray(value)) return listOf(value);
  if (typeof value === 'string') return `'${value.slice(0, 64)}'`;
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return typeof value === 'object' ? 'a map' : `${value as number | bigint | boolean}`;
}

function listOf(values: readonly unknown[]): string {
  if (values.length > 16) return `an array of ${values.length}`;
  return `[${values.map((value) => (Array.isArray(value) ? 'an array' : kindOf(value))).join(', ')}]`;
}
