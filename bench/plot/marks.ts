import type { Box } from './axes.js';
import type { Scale } from './scale.js';
import type { Colour } from './style.js';
import { element } from './svg.js';

/** What is drawn between the axes. */

export interface Point {
  x: number;
  y: number;
}

export type LineStyle = 'line' | 'dashed' | 'thin';

export interface Line {
  points: readonly Point[];
  /** Of the style sheet. */
  colour: Colour;
  style: LineStyle;
  /** Each point also as a shape, which differs by colour. */
  hasMarkers?: boolean;
}

/** A shaded part of the x axis. */
export interface Band {
  from: number;
  to: number;
}

const MARKER_SIZE = 4;
const FAILURE_SIZE = 3;

export function drawLine({ points, colour, style, hasMarkers }: Line, x: Scale, y: Scale): string {
  const pixels = points.map((point) => ({ x: x.at(point.x), y: y.at(point.y) }));
  const path = pixels.map((at) => `${at.x.toFixed(1)},${at.y.toFixed(1)}`).join(' ');
  const line = element('polyline', { class: `${lineClass(style)} stroke${colour}`, points: path });
  return line + (hasMarkers ? pixels.map((at) => marker(at, colour)).join('') : '');
}

export function lineClass(style: LineStyle): string {
  return style === 'dashed' ? 'line dashed' : style;
}

/** Circle, square, triangle, diamond and again. */
export function marker({ x, y }: Point, colour: Colour): string {
  const s = MARKER_SIZE;
  const corners = [
    [],
    [
      [-s, -s],
      [s, -s],
      [s, s],
      [-s, s],
    ],
    [
      [0, -s - 1],
      [s + 1, s],
      [-s - 1, s],
    ],
    [
      [0, -s - 2],
      [s + 2, 0],
      [0, s + 2],
      [-s - 2, 0],
    ],
  ][colour === 'ink' ? 0 : colour % 4] as [number, number][];
  const attributes = { class: `fill${colour}` };
  if (corners.length === 0) return element('circle', { ...attributes, cx: x, cy: y, r: s });
  const points = corners.map(([dx, dy]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`);
  return element('polygon', { ...attributes, points: points.join(' ') });
}

export function drawBand({ from, to }: Band, x: Scale, { top, bottom }: Box): string {
  const [left, right] = [x.at(from), x.at(to)];
  const width = Math.max(1, right - left);
  return element('rect', { class: 'band', x: left, y: top, width, height: bottom - top });
}

/** At the upper edge. */
export function drawFailures(failures: readonly number[], x: Scale, { top }: Box): string {
  return failures
    .map((at) => element('circle', { class: 'failure', cx: x.at(at), cy: top, r: FAILURE_SIZE }))
    .join('');
}
