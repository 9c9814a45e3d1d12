import { z } from 'zod';

/** Sizes and durations as people write them: `64MiB`, `30s`, `500us`. Of plain numbers only 0 has no need of a unit. */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const DURATION_UNITS: Readonly<Record<string, number>> = {
  us: 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const unit = units[match?.[2] ?? ''];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

function quantity(units: Readonly<Record<string, number>>, example: string) {
  const expected = `expected a number with a unit, such as ${example}`;
  return z.union([z.number(), z.string()], { error: expected }).transform((value, context) => {
    const parsed = value === 0 ? 0 : parseQuantity(String(value), units);
    if (parsed !== undefined && parsed >= 0) return parsed;
    context.addIssue({ code: 'custom', message: `${expected}, got ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

/** A size; the result is whole bytes. */
export const size = quantity(SIZE_UNITS, '64B, 64KiB or 64MiB').transform(Math.floor);
/** A duration; the result is milliseconds. */
export const duration = quantity(DURATION_UNITS, '100ms, 30s or 500us');
