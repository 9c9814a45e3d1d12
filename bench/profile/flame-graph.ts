import { element, textElement } from '../plot/svg.js';
import { selfByOrigin, type CallTree } from './call-tree.js';
import type { Origin } from './samples.js';

/** A flame graph: callers below what they call, as wide as their share of the samples. */

const WIDTH = 1400;
const ROW = 17;
const TOP = 46;
const LETTER = 6.6;
/** Frames that are narrower are left out. */
const MIN_WIDTH = 0.4;
const MIN_TEXT_WIDTH = 24;

const COLOURS: Readonly<Record<Origin, string>> = {
  JavaScript: '#f2cc60',
  addon: '#79c0ff',
  'ONNX Runtime': '#7ee787',
  uWebSockets: '#ff9bce',
  'Node.js': '#ffa657',
  'C library': '#d2a8ff',
  kernel: '#ff9a8f',
  other: '#c9d1d9',
};
const STYLE_SHEET = 'text { font: 11px ui-monospace, monospace; fill: #1f2328; }';

/** The text of an SVG file; a frame shows its whole name and share under the pointer. */
export function flameGraph(root: CallTree): string {
  const frames: string[] = [];
  const depth = draw(root, { left: 0, depth: 0, total: root.total }, frames);
  const height = TOP + (depth + 1) * ROW;
  // The deepest frame is known only now, and the outermost caller is to be at the lower edge.
  const flipped = element('g', { transform: `translate(0 ${height})` }, ...frames);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    element('style', {}, STYLE_SHEET),
    element('rect', { width: WIDTH, height, fill: '#ffffff' }),
    legend(root),
    flipped,
    '</svg>',
    '',
  ].join('\n');
}

interface Place {
  left: number;
  depth: number;
  /** Samples of the whole graph. */
  total: number;
}

/** Gives the greatest depth that it has drawn. */
function draw(node: CallTree, { left, depth, total }: Place, into: string[]): number {
  const width = (node.total / total) * WIDTH;
  if (width < MIN_WIDTH) return depth - 1;
  into.push(box(node, { left, depth, total }, width));
  let deepest = depth;
  let at = left;
  const calls = [...node.calls.values()].sort((a, b) => (a.frame.name < b.frame.name ? -1 : 1));
  for (const call of calls) {
    deepest = Math.max(deepest, draw(call, { left: at, depth: depth + 1, total }, into));
    at += (call.total / total) * WIDTH;
  }
  return deepest;
}

function box(node: CallTree, { left, depth, total }: Place, width: number): string {
  const { name, origin } = node.frame;
  const y = -(depth + 1) * ROW;
  const share = `${((100 * node.total) / total).toFixed(1)} %`;
  const rect = { x: left, y, width: Math.max(0.2, width - 0.4), height: ROW - 1 };
  return element(
    'g',
    {},
    textElement('title', {}, `${name} (${origin}), ${share}`),
    element('rect', { ...rect, fill: COLOURS[origin] }),
    ...(width < MIN_TEXT_WIDTH
      ? []
      : [textElement('text', { x: left + 3, y: y + 12 }, fit(name, width - 6))]),
  );
}

function fit(text: string, width: number): string {
  const letters = Math.floor(width / LETTER);
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}

function legend(root: CallTree): string {
  let left = 8;
  const entries = selfByOrigin(root).map(([origin, self]) => {
    const text = `${origin} ${((100 * self) / root.total).toFixed(1)} %`;
    const entry =
      element('rect', { x: left, y: 12, width: 12, height: 12, fill: COLOURS[origin] }) +
      textElement('text', { x: left + 17, y: 22 }, text);
    left += 17 + text.length * LETTER + 22;
    return entry;
  });
  return element('g', {}, ...entries);
}
