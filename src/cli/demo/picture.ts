import { encode } from 'fast-png';
import { writeFile } from 'node:fs/promises';

/** An 8-bit picture, rows from the top, channels interleaved. */
export interface Picture {
  width: number;
  height: number;
  channels: 1 | 3;
  data: Uint8Array;
}

type Color = readonly [red: number, green: number, blue: number];

const SKY: Color = [120, 170, 220];
const SUN: Color = [250, 220, 90];
const HILL: Color = [70, 120, 60];
const WALL: Color = [190, 90, 70];
const WINDOW: Color = [235, 235, 215];

/** A house on a hill under a sun: straight, slanted and round edges of several strengths. */
export function drawScene(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      data.set(colorAt(column / width, row / height), (row * width + column) * 3);
    }
  }
  return { width, height, channels: 3, data };
}

/** `x` from left to right and `y` from top to bottom, each 0 to 1. */
function colorAt(x: number, y: number): Color {
  const inWindow = Math.abs(x - 0.35) < 0.04 && Math.abs(y - 0.6) < 0.06;
  if (inWindow) return WINDOW;
  const inWall = Math.abs(x - 0.35) < 0.14 && y > 0.48 && y < 0.8;
  const inRoof = y <= 0.48 && y > 0.28 + Math.abs(x - 0.35);
  if (inWall || inRoof) return WALL;
  if (y > 0.75 + 0.08 * Math.sin(x * 7)) return HILL;
  return Math.hypot(x - 0.78, (y - 0.25) * 0.75) < 0.1 ? SUN : SKY;
}

export async function writePng(path: string, picture: Picture): Promise<void> {
  await writeFile(path, encode(picture));
}
