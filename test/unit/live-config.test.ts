import { beforeEach, expect, test } from 'vitest';
import { daemonSchema, type DaemonConfig } from '../../src/config/schema.js';
import { LiveConfig } from '../../src/supervisor/live-config.js';
import { createLogger } from '../../src/telemetry/log.js';

const parse = (settings: object): DaemonConfig => daemonSchema.parse({ models: '/m', ...settings });

let next: () => DaemonConfig;
let warnings: unknown[];

beforeEach(() => {
  warnings = [];
});

function started(): LiveConfig {
  const log = createLogger('test', 'error');
  log.warn = (what: unknown) => void warnings.push(what);
  return new LiveConfig({ initial: parse({}), read: () => next(), log });
}

test('a reload applies what needs no restart, and names what does', () => {
  const config = started();
  next = () =>
    parse({ models: '/other', swap: { prepareTimeout: '1s' }, state: '/s', watch: true });
  expect(config.reload().waiting).toEqual(['state', 'watch']);
  expect(config.current).toMatchObject({ models: '/other', swap: { prepareTimeout: 1000 } });
  expect(config.current).toMatchObject({ watch: false });
  expect(config.current.state).toBeUndefined();
  expect(warnings).toEqual([{ settings: ['state', 'watch'] }]);
});

test('a reload that changes nothing fixed warns of nothing', () => {
  const config = started();
  next = () => parse({ models: '/other' });
  config.reload();
  expect(warnings).toEqual([]);
});

test('a configuration that cannot be read is refused, and everything stays as it is', () => {
  const config = started();
  const before = config.current;
  next = () => {
    throw new Error('unknown key');
  };
  expect(() => config.reload()).toThrow(
    expect.objectContaining({ code: 'FAILED_PRECONDITION', message: 'unknown key' }) as Error,
  );
  expect(config.current).toBe(before);
});
