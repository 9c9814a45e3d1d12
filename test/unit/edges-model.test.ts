import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { EDGE_OPERATORS, edgeDetector } from '../../models/edge-detector.js';
import { encodeModel } from '../../models/onnx/index.js';
import { hash32 } from '../fixtures/random.js';

interface Image {
  readonly height: number;
  readonly width: number;
  /** RGB, row-major. */
  readonly pixels: Uint8Array;
}

type Colour = readonly [number, number, number];

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];

const CASES = [
  { version: 1, name: 'Sobel', side: 1 / 4, middle: 2 / 4 },
  { version: 2, name: 'Scharr', side: 3 / 16, middle: 10 / 16 },
];

describe.each(CASES)('edges/$version ($name)', ({ version, side, middle }) => {
  const path = join(import.meta.dirname, '../../models/edges', String(version), 'model.onnx');

  it('is committed as generated', () => {
    const operator = EDGE_OPERATORS[version];
    expect(operator).toBeDefined();
    if (operator === undefined) return;
    expect(Buffer.from(encodeModel(edgeDetector(operator)))).toEqual(readFileSync(path));
  });

  it.each([
    { height: 7, width: 9 },
    { height: 1, width: 1 },
    { height: 1, width: 6 },
    { height: 33, width: 2 },
  ])('agrees with the definition on noise of $height × $width', async ({ height, width }) => {
    const image = painted(height, width, (x, y) => noise(x, y));
    const edges = await detect(path, [image]);
    const expected = gradientMagnitude(image, side, middle);
    expect(edges.length).toBe(expected.length);
    // Half a step of rounding, and FP32's error.
    edges.forEach((edge, i) => expect(Math.abs(edge - (expected[i] ?? NaN))).toBeLessThan(0.501));
  });

  it('gives 255 on both sides of a step from black to white, along x and y', async () => {
    const acrossX = painted(5, 6, (x) => (x < 3 ? BLACK : WHITE));
    const acrossY = painted(6, 5, (_, y) => (y < 3 ? WHITE : BLACK));
    const rowOfX = [0, 0, 255, 255, 0, 0];
    expect([...(await detect(path, [acrossX]))]).toEqual(Array(5).fill(rowOfX).flat());
    const columnOfY = rowOfX.flatMap((edge) => Array<number>(5).fill(edge));
    expect([...(await detect(path, [acrossY]))]).toEqual(columnOfY);
  });

  it('finds no edge in a plain image, its border included', async () => {
    const plain = painted(4, 5, () => [200, 30, 90]);
    expect([...(await detect(path, [plain]))]).toEqual(Array(20).fill(0));
  });

  it('keeps the images of a batch apart', async () => {
    const images = [1, 2, 3].map((seed) => painted(5, 4, (x, y) => noise(x, y, seed)));
    const apart = await Promise.all(images.map((image) => detect(path, [image])));
    expect(await detect(path, images)).toEqual(Buffer.concat(apart));
  });
});

/** Edges of images of one size, one after the other. */
async function detect(path: string, images: readonly Image[]): Promise<Buffer> {
  const session = await InferenceSession.create(path);
  const { height, width } = images[0] ?? { height: 0, width: 0 };
  const pixels = Uint8Array.from(Buffer.concat(images.map((image) => image.pixels)));
  const image = new Tensor('uint8', pixels, [images.length, height, width, 3]);
  const { edges } = await session.run({ image });
  expect(edges?.type).toBe('uint8');
  expect(edges?.dims).toEqual([images.length, height, width]);
  await session.release();
  return Buffer.from((edges?.data ?? []) as Uint8Array);
}

/** The unrounded answer, from the definition of the operators. */
function gradientMagnitude(image: Image, side: number, middle: number): number[] {
  const at = (x: number, y: number) => luma(image, x, y);
  const alongX = (x: number, y: number) => at(x + 1, y) - at(x - 1, y);
  const alongY = (x: number, y: number) => at(x, y + 1) - at(x, y - 1);
  return positions(image.height, image.width).map(([x, y]) => {
    const gx = side * (alongX(x, y - 1) + alongX(x, y + 1)) + middle * alongX(x, y);
    const gy = side * (alongY(x - 1, y) + alongY(x + 1, y)) + middle * alongY(x, y);
    return Math.min(255, Math.hypot(gx, gy));
  });
}

/** Rec. 709 luma of a pixel, or of the nearest one inside the image. */
function luma({ height, width, pixels }: Image, x: number, y: number): number {
  const column = Math.min(Math.max(x, 0), width - 1);
  const row = Math.min(Math.max(y, 0), height - 1);
  const [r = NaN, g = NaN, b = NaN] = pixels.subarray((row * width + column) * 3);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function painted(height: number, width: number, paint: (x: number, y: number) => Colour): Image {
  const pixels = Uint8Array.from(positions(height, width).flatMap(([x, y]) => [...paint(x, y)]));
  return { height, width, pixels };
}

/** Every [x, y] of an image, row by row. */
function positions(height: number, width: number): [number, number][] {
  return Array.from({ length: height * width }, (_, i) => [i % width, Math.floor(i / width)]);
}

function noise(x: number, y: number, seed = 0): Colour {
  const bits = hash32(y * 1000 + x, seed);
  return [bits & 255, (bits >> 8) & 255, (bits >> 16) & 255];
}
