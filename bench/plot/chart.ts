import { axes, type Axis, type Box } from './axes.js';
import { legend, type LegendEntry } from './legend.js';
import { drawBand, drawFailures, drawLine, type Band, type Line } from './marks.js';
import { linearScale, logScale, type Scale } from './scale.js';
import { STYLE_SHEET } from './style.js';
import { element, textElement } from './svg.js';

/** A plot: one panel, or several one below the other with the same axes. */
export interface Chart {
  title: string;
  /** Below the title. */
  subtitle: string;
  x: Axis;
  y: Axis;
  panels: readonly Panel[];
  legend: readonly LegendEntry[];
  /** What it was measured with. */
  footnote: string;
}

export interface Panel {
  heading?: string;
  lines: readonly Line[];
  bands?: readonly Band[];
  /** Where on the x axis requests failed. */
  failures?: readonly number[];
}

const WIDTH = 940;
const LEFT = 70;
const RIGHT = 310;
const TOP = 64;
/** Above the first panel, where panels have one. */
const HEADING = 16;
const BOTTOM = 66;
const SINGLE_HEIGHT = 330;
const PANEL_HEIGHT = 130;
const PANEL_GAP = 34;

/** The text of an SVG file. */
export function drawChart(chart: Chart): string {
  const { title, subtitle, panels, footnote } = chart;
  const panelHeight = panels.length === 1 ? SINGLE_HEIGHT : PANEL_HEIGHT;
  const firstTop = panels.some(({ heading }) => heading !== undefined) ? TOP + HEADING : TOP;
  const height = firstTop + panels.length * (panelHeight + PANEL_GAP) - PANEL_GAP + BOTTOM;
  const boxes = panels.map((_, i): Box => {
    const top = firstTop + i * (panelHeight + PANEL_GAP);
    return { left: LEFT, right: WIDTH - RIGHT, top, bottom: top + panelHeight };
  });
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" ' +
      `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    textElement('title', {}, title),
    textElement('desc', {}, subtitle),
    element('style', {}, STYLE_SHEET),
    element('rect', { class: 'background', width: WIDTH, height }),
    textElement('text', { class: 'title ink', x: LEFT, y: 24 }, title),
    textElement('text', { class: 'faint', x: LEFT, y: 43 }, subtitle),
    ...boxes.map((box, i) => drawPanel(chart, i, box)),
    legend(chart.legend, { left: WIDTH - RIGHT + 24, top: firstTop + 6 }),
    textElement('text', { class: 'small faint', x: LEFT, y: height - 12 }, footnote),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(chart: Chart, index: number, box: Box): string {
  const panel = chart.panels[index];
  if (!panel) return '';
  const { x, y } = scales(chart, box);
  const { heading, lines, bands = [], failures = [] } = panel;
  const isLast = index === chart.panels.length - 1;
  return element(
    'g',
    {},
    ...bands.map((band) => drawBand(band, x, box)),
    axes(chart, { x, y }, box, isLast),
    ...lines.map((line) => drawLine(line, x, y)),
    drawFailures(failures, x, box),
    ...(heading === undefined
      ? []
      : [textElement('text', { class: 'ink', x: box.left, y: box.top - 7 }, heading)]),
  );
}

/** The same for all panels, so that they can be compared. */
function scales({ x, y, panels }: Chart, box: Box): { x: Scale; y: Scale } {
  const points = panels.flatMap(({ lines }) => lines.flatMap((line) => line.points));
  return {
    x: scaleOf(
      x,
      points.map((point) => point.x),
      [box.left, box.right],
    ),
    y: scaleOf(
      y,
      points.map((point) => point.y),
      [box.bottom, box.top],
    ),
  };
}

function scaleOf({ scale, ticks }: Axis, values: number[], range: [number, number]): Scale {
  return (scale === 'log' ? logScale : linearScale)(values, range, ticks);
}
