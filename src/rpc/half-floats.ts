/** FP16 and BF16 as bits, from and to numbers. Rounds to the nearest, ties to even. */

export function fromFp16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  const isSubnormal = exponent === 0;
  return (
    sign * 2 ** (isSubnormal ? -14 : exponent - 15) * ((isSubnormal ? 0 : 1) + fraction / 1024)
  );
}

export function fromBf16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] as number;
}

interface Format {
  fractionBits: number;
  minExponent: number;
  infinity: number;
  nan: number;
}

const FP16: Format = { fractionBits: 10, minExponent: -14, infinity: 0x7c00, nan: 0x7e00 };
const BF16: Format = { fractionBits: 7, minExponent: -126, infinity: 0x7f80, nan: 0x7fc0 };

export function toFp16(value: number): number {
  return toBits(value, FP16);
}

export function toBf16(value: number): number {
  return toBits(value, BF16);
}

function toBits(value: number, { fractionBits, minExponent, infinity, nan }: Format): number {
  if (Number.isNaN(value)) return nan;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Infinity) return sign | infinity;
  const exponent = Math.max(Math.floor(Math.log2(size)), minExponent);
  const units = roundToEven(size / 2 ** (exponent - fractionBits));
  // What rounds up to the next power of two carries into the exponent.
  const bits = (exponent - minExponent) * 2 ** fractionBits + units;
  return sign | Math.min(bits, infinity);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
