import { toBf16, toFp16 } from '../rpc/half-floats.js';

/**
 * Whole arrays between FP32 and the bits of FP16 and BF16. To the narrower form they are rounded to
 * the nearest, ties to even; what is too big becomes infinite, NaN stays NaN with the upper bits of
 * its payload. The way back is exact, so that all 65,536 bit patterns come back as they were.
 */

const FP32_NAN_ABOVE = 0x7f80_0000;
const FP16_INFINITY = 0x7c00;
const FP16_QUIET = 0x0200;
const BF16_QUIET = 0x0040;
/** FP32 bits of 65536, the first power of two beyond FP16. */
const FP16_OVERFLOW = 0x4780_0000;
/** FP32 bits of 2^-14, the smallest normal number of FP16. */
const FP16_SMALLEST_NORMAL = 0x3880_0000;
/** What the exponents of FP32 and FP16 differ by, in place. */
const REBIAS = (127 - 15) << 23;
/** One unit in the last place of an FP32 number of [0.5, 1) is 2^-24, that of FP16's subnormals. */
const HALF_BITS = 0x3f00_0000;
const SUBNORMAL_UNIT = 2 ** -24;

const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);

type Floats = Float32Array | Float64Array | readonly number[];

/** The FP16 bits of each value; values wider than FP32 are rounded once. */
export function toFloat16(values: Floats): Uint16Array {
  if (!(values instanceof Float32Array)) return Uint16Array.from(values, toFp16);
  return Uint16Array.from(bitsOf(values), fp16OfFp32);
}

/** The values that FP16 bits stand for. */
export function fromFloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, fp32OfFp16).buffer);
}

/** The BF16 bits of each value; values wider than FP32 are rounded once. */
export function toBfloat16(values: Floats): Uint16Array {
  if (!(values instanceof Float32Array)) return Uint16Array.from(values, toBf16);
  return Uint16Array.from(bitsOf(values), bf16OfFp32);
}

/** The values that BF16 bits stand for. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

function fp16OfFp32(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fff_ffff;
  if (size > FP32_NAN_ABOVE) return sign | FP16_INFINITY | payload(size >>> 13, 0x3ff, FP16_QUIET);
  if (size >= FP16_OVERFLOW) return sign | FP16_INFINITY;
  if (size < FP16_SMALLEST_NORMAL) return sign | fp16Subnormal(size);
  // What rounds up beyond the largest number carries into the exponent: infinity.
  return sign | ((size - REBIAS + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

/** Adding 0.5 makes FP32's own rounding that of FP16's subnormals. */
function fp16Subnormal(size: number): number {
  bitsOfFloat[0] = size;
  float[0] = (float[0] as number) + 0.5;
  return bitsOfFloat[0] - HALF_BITS;
}

function fp32OfFp16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | FP32_NAN_ABOVE | (fraction << 13);
  if (exponent > 0) return sign | (((bits & 0x7fff) << 13) + REBIAS);
  float[0] = fraction * SUBNORMAL_UNIT;
  return sign | (bitsOfFloat[0] as number);
}

function bf16OfFp32(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fff_ffff;
  if (size > FP32_NAN_ABOVE) return sign | 0x7f80 | payload(size >>> 16, 0x7f, BF16_QUIET);
  return sign | ((size + 0x7fff + ((size >>> 16) & 1)) >>> 16);
}

/** The bits of a NaN's payload that are left, or else those that keep it one. */
function payload(bits: number, mask: number, quiet: number): number {
  return bits & mask || quiet;
}
