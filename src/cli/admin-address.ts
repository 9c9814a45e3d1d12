import { InvalidArgumentError, Option } from 'commander';
import { UsageError } from './usage-error.js';

/** Where `ctl` finds the admin interface. */

const ADDRESS_VARIABLE = 'WARMSWAP_ADMIN';
const PORT_VARIABLE = 'WARMSWAP_ADMIN_PORT';
const DEFAULT_PORT = '9001';

export function adminOption(): Option {
  const text = `the admin interface (default: WARMSWAP_ADMIN_PORT, or ${DEFAULT_PORT}, of this host)`;
  return new Option('--admin <url>', text).env(ADDRESS_VARIABLE).argParser(adminUrl);
}

/** The address of an admin interface, which speaks HTTP. */
export function adminUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return text;
  throw new InvalidArgumentError('expected an address like http://127.0.0.1:9001');
}

/** The address where none is given. Throws UsageError for a port that is none. */
export function defaultAdminUrl(environment: Readonly<Record<string, string | undefined>>): string {
  const port = environment[PORT_VARIABLE] ?? DEFAULT_PORT;
  const isPort = /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) <= 65_535;
  if (isPort) return `http://127.0.0.1:${Number(port)}`;
  throw new UsageError(`${PORT_VARIABLE}: expected a port, 1 to 65535, got '${port}'`);
}
