import type { Scale } from './scale.js';
import { element, textElement } from './svg.js';

export interface Axis {
  /** With its unit. */
  label: string;
  scale: 'linear' | 'log';
  /** Chosen by the values if left out. */
  ticks?: readonly number[];
}

/** Where a panel is, in pixels. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const numbers = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** Lines, numbers and labels; the x axis has its numbers only where `hasX`. */
export function axes(
  labels: { x: Axis; y: Axis },
  { x, y }: { x: Scale; y: Scale },
  box: Box,
  hasX: boolean,
): string {
  return element(
    'g',
    {},
    ...y.ticks.map((tick) => horizontal(tick, y.at(tick), box)),
    element('line', { class: 'grid', x1: box.left, x2: box.left, y1: box.top, y2: box.bottom }),
    yLabel(labels.y.label, box),
    ...(hasX ? x.ticks.map((tick) => number(tick, x.at(tick), box.bottom + 17, 'middle')) : []),
    ...(hasX ? [xLabel(labels.x.label, box)] : []),
  );
}

function horizontal(tick: number, y: number, { left, right }: Box): string {
  return (
    element('line', { class: 'grid', x1: left, x2: right, y1: y, y2: y }) +
    number(tick, left - 8, y + 4, 'end')
  );
}

function number(value: number, x: number, y: number, anchor: string): string {
  const attributes = { class: 'small faint', x, y, 'text-anchor': anchor };
  return textElement('text', attributes, numbers.format(value));
}

function xLabel(label: string, { left, right, bottom }: Box): string {
  const attributes = {
    class: 'ink',
    x: (left + right) / 2,
    y: bottom + 36,
    'text-anchor': 'middle',
  };
  return textElement('text', attributes, label);
}

function yLabel(label: string, { left, top, bottom }: Box): string {
  const [x, y] = [left - 48, (top + bottom) / 2];
  const transform = `rotate(-90 ${x} ${y})`;
  return textElement('text', { class: 'ink', x, y, 'text-anchor': 'middle', transform }, label);
}
