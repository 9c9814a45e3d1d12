/** Colours for light and for dark pages; a plot brings its own background, so it fits any page. */

interface Theme {
  background: string;
  ink: string;
  faint: string;
  grid: string;
  band: string;
  failure: string;
  /** One for each server; the first is ours. */
  colours: readonly string[];
}

const LIGHT: Theme = {
  background: '#ffffff',
  ink: '#1f2328',
  faint: '#59636e',
  grid: '#d1d9e0',
  band: '#fff1c2',
  failure: '#cf222e',
  colours: ['#0550ae', '#bc4c00', '#1a7f37', '#8250df', '#bf3989', '#57606a'],
};
const DARK: Theme = {
  background: '#0d1117',
  ink: '#e6edf3',
  faint: '#9198a1',
  grid: '#30363d',
  band: '#3d3313',
  failure: '#ff7b72',
  colours: ['#79c0ff', '#ffa657', '#56d364', '#d2a8ff', '#ff9bce', '#b1bac4'],
};

/** Of a line or a marker; `ink` is that of text. */
export type Colour = number | 'ink';

export const COLOURS = LIGHT.colours.length;

/** Classes that the elements of a plot have. */
export const STYLE_SHEET = `
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 11px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.thin { fill: none; stroke-width: 1; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 4; }
.grid { stroke-width: 1; }
${rules(LIGHT)}
@media (prefers-color-scheme: dark) {
${rules(DARK)}
}
`;

function rules({ background, ink, faint, grid, band, failure, colours }: Theme): string {
  return [
    `.background { fill: ${background}; }`,
    `.ink, .fillink { fill: ${ink}; }`,
    `.strokeink { stroke: ${ink}; }`,
    `.faint { fill: ${faint}; }`,
    `.grid { stroke: ${grid}; }`,
    `.band { fill: ${band}; }`,
    `.failure { fill: ${failure}; }`,
    ...colours.flatMap((colour, i) => [
      `.stroke${i} { stroke: ${colour}; }`,
      `.fill${i} { fill: ${colour}; }`,
    ]),
  ].join('\n');
}
