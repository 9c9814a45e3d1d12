/** `fail`: the daemon cannot run like this; `warn`: it runs, with a drawback. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** One thing that was looked at. */
export interface Check {
  name: string;
  status: CheckStatus;
  /** What was found, for people. */
  found: string;
  /** What to do about it; of every check that is not ok. */
  remedy?: string;
  /** What was found, for programs; sizes are in bytes. */
  details?: Readonly<Record<string, unknown>>;
}

type Details = NonNullable<Check['details']>;

export function ok(name: string, found: string, details?: Details): Check {
  return { name, status: 'ok', found, ...(details && { details }) };
}

export function warn(name: string, found: string, remedy: string, details?: Details): Check {
  return { name, status: 'warn', found, remedy, ...(details && { details }) };
}

export function fail(name: string, found: string, remedy: string, details?: Details): Check {
  return { name, status: 'fail', found, remedy, ...(details && { details }) };
}

/** Binary units, as the configuration has them. */
export function sizeText(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
