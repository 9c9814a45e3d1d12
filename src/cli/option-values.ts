import { InvalidArgumentError } from 'commander';
import { toRpcUrls } from '../client/options.js';
import { duration } from '../config/units.js';
import type { Shapes } from './input-options.js';

/** Values of options, from their texts. Each throws commander's InvalidArgumentError. */

/** Of an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

export function positiveInteger(text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('expected a positive integer');
}

export function positiveNumber(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0');
}

export function priority(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected an integer of at least 0, the most urgent');
}

/** Milliseconds above 0. */
export function durationMs(text: string): number {
  const { data } = duration.safeParse(text);
  if (data !== undefined && data > 0) return data;
  throw new InvalidArgumentError('expected a time above 0 such as 30s, 100ms or 500us');
}

/** Milliseconds of at least 0. */
export function durationOrZeroMs(text: string): number {
  return /^0(s|ms|us|m|h)?$/.test(text) ? 0 : durationMs(text);
}

/** `NAME=1,512`, once for each name; `NAME=` is a scalar's. */
export function collectShape(text: string, previous: Shapes): Shapes {
  const [, name, sizes] = /^(.+)=((?:\d+(?:,\d+)*)?)$/.exec(text) ?? [];
  if (name === undefined || sizes === undefined) {
    throw new InvalidArgumentError('expected NAME=1,512');
  }
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  return { ...previous, [name]: shape };
}

/** The address of a daemon, as the client library takes it. */
export function serverUrl(text: string): string {
  try {
    toRpcUrls(text);
    return text;
  } catch {
    throw new InvalidArgumentError('expected an address like ws://127.0.0.1:9000');
  }
}
