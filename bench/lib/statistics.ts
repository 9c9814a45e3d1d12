/** Repeated measurements in a few words. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Throws if there are none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new Error('nothing was measured');
  return { median: medianOfSorted(sorted), min, max };
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** Pair by pair: what was measured side by side is compared, not the medians of both. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return numerators.map((numerator, i) => numerator / (denominators[i] ?? NaN));
}

function medianOfSorted(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
