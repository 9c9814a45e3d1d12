import { lineClass, marker, type LineStyle } from './marks.js';
import type { Colour } from './style.js';
import { element, textElement } from './svg.js';

export type LegendEntry =
  | { name: string; kind: 'line'; colour: Colour; style: LineStyle; hasMarker?: boolean }
  | { name: string; kind: 'band' }
  | { name: string; kind: 'failure' };

const ROW_HEIGHT = 20;
const SAMPLE_WIDTH = 24;

export function legend(
  entries: readonly LegendEntry[],
  { left, top }: { left: number; top: number },
): string {
  const rows = entries.map((entry, i) => {
    const y = top + i * ROW_HEIGHT;
    const text = { class: 'ink', x: left + SAMPLE_WIDTH + 8, y: y + 4 };
    return sample(entry, left, y) + textElement('text', text, entry.name);
  });
  return element('g', {}, ...rows);
}

function sample(entry: LegendEntry, left: number, y: number): string {
  const middle = left + SAMPLE_WIDTH / 2;
  switch (entry.kind) {
    case 'failure':
      return element('circle', { class: 'failure', cx: middle, cy: y, r: 3 });
    case 'band':
      return element('rect', { class: 'band', x: left, y: y - 6, width: SAMPLE_WIDTH, height: 12 });
    case 'line': {
      const { colour, style, hasMarker } = entry;
      const line = { x1: left, x2: left + SAMPLE_WIDTH, y1: y, y2: y };
      return (
        element('line', { class: `${lineClass(style)} stroke${colour}`, ...line }) +
        (hasMarker ? marker({ x: middle, y }, colour) : '')
      );
    }
  }
}
