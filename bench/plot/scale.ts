/** From values to pixels. */
export interface Scale {
  /** Clamped to the range. */
  at: (value: number) => number;
  ticks: readonly number[];
}

/** Pixels of the lowest and of the highest value. */
export type Range = readonly [number, number];

const STEPS = [1, 2, 5, 10];
const MOST_TICKS = 8;

/** From zero to a round number, or over the given ticks. */
export function linearScale(
  values: readonly number[],
  range: Range,
  ticks?: readonly number[],
): Scale {
  const highest = Math.max(...values, 0);
  const chosen = ticks ?? linearTicks(highest > 0 ? highest : 1);
  const [from, to] = [0, Math.max(highest, chosen.at(-1) ?? 0)];
  return { at: (value) => project(value, [from, to], range), ticks: chosen };
}

/** Of values above zero; those that are not are drawn at the lower end. */
export function logScale(
  values: readonly number[],
  range: Range,
  ticks?: readonly number[],
): Scale {
  const positive = values.filter((value) => value > 0);
  const [from, to] = [Math.min(...positive), Math.max(...positive)].map(Math.log10) as [
    number,
    number,
  ];
  const chosen = ticks ?? logTicks(from, to);
  const ends: Range = [
    Math.min(from, Math.log10(chosen[0] ?? 1)),
    Math.max(to, Math.log10(chosen.at(-1) ?? 1)),
  ];
  return {
    at: (value) => project(value > 0 ? Math.log10(value) : ends[0], ends, range),
    ticks: chosen,
  };
}

function project(value: number, [from, to]: Range, [low, high]: Range): number {
  const share = to > from ? (value - from) / (to - from) : 0.5;
  return low + Math.min(1, Math.max(0, share)) * (high - low);
}

function linearTicks(highest: number): number[] {
  const magnitude = 10 ** Math.floor(Math.log10(highest / MOST_TICKS));
  const step = magnitude * (STEPS.find((it) => highest / (it * magnitude) <= MOST_TICKS) ?? 10);
  return Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, i) => round(i * step));
}

/** From the last one below the lowest value to the first above the highest. */
function logTicks(from: number, to: number): number[] {
  for (const mantissas of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = ticksWith(mantissas, from, to);
    if (ticks.length <= MOST_TICKS) return ticks;
  }
  return ticksWith([1], from, to);
}

function ticksWith(mantissas: readonly number[], from: number, to: number): number[] {
  const all: number[] = [];
  for (let power = Math.floor(from) - 1; power <= Math.ceil(to) + 1; power++) {
    all.push(...mantissas.map((mantissa) => round(mantissa * 10 ** power)));
  }
  const first = all.findLastIndex((tick) => Math.log10(tick) <= from + 1e-9);
  const last = all.findIndex((tick) => Math.log10(tick) >= to - 1e-9);
  return all.slice(first, last + 1);
}

/** Without the noise of binary fractions. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
