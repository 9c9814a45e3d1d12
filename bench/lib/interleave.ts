/**
 * Measures several things in turn, again and again, every other time in the opposite order: a machine
 * that slows down or is disturbed meanwhile does so to all of them. Gives a list per name, one element
 * per repeat.
 */
export async function interleave<K extends string, T>(
  repeats: number,
  measures: Readonly<Record<K, () => Promise<T>>>,
): Promise<Record<K, T[]>> {
  const names = Object.keys(measures) as K[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, T[]>;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const order = repeat % 2 === 0 ? names : [...names].reverse();
    for (const name of order) results[name].push(await measures[name]());
  }
  return results;
}
