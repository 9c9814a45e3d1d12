import { WarmswapError } from '../rpc/errors.js';

/** Throws INVALID_ARGUMENT for a key that is none of `known`: a misspelt option must not be passed over. */
export function refuseUnknownKeys(what: string, value: object, known: ReadonlySet<string>): void {
  for (const key of Object.keys(value)) {
    if (known.has(key)) continue;
    const names = [...known].join(', ');
    throw new WarmswapError('INVALID_ARGUMENT', `${what}: expected keys of ${names}, got '${key}'`);
  }
}

/** The keys of T, all of which the compiler asks for. */
export function keysOf<T>(keys: Record<keyof T, true>): ReadonlySet<string> {
  return new Set(Object.keys(keys));
}
