import { expect, test } from 'vitest';
import { parsePath } from '../../src/server/http/path.js';

const parse = (path: string, models: readonly string[] = []) =>
  parsePath(path, (name) => models.includes(name));

test.each([
  ['/v2', { kind: 'server' }],
  ['/v2/health/live', { kind: 'live' }],
  ['/v2/health/ready', { kind: 'ready' }],
  ['/rpc', { kind: 'rpc' }],
  ['/v2/models/m', { kind: 'metadata', model: 'm' }],
  ['/v2/models/m/ready', { kind: 'modelReady', model: 'm' }],
  ['/v2/models/m/stats', { kind: 'statistics', model: 'm' }],
  ['/v2/models/m/infer', { kind: 'infer', model: 'm' }],
  ['/v2/models/m/versions/12', { kind: 'metadata', model: 'm', version: 12 }],
  ['/v2/models/m/versions/12/infer', { kind: 'infer', model: 'm', version: 12 }],
  ['/v2/models/a%20b%2Fc/ready', { kind: 'modelReady', model: 'a b/c' }],
  ['/v2/models/__proto__/infer', { kind: 'infer', model: '__proto__' }],
  ['/v2/models/stats', { kind: 'allStatistics' }],
  ['/v2/models/versions/versions/1', { kind: 'metadata', model: 'versions', version: 1 }],
])('%s', (path, resource) => expect(parse(path)).toEqual(resource));

test('a model may be called stats', () => {
  expect(parse('/v2/models/stats', ['stats'])).toEqual({ kind: 'metadata', model: 'stats' });
});

test.each([
  ...['', '/', '/v2/', '/v1', '/v2/models', '/v2/models/', '/v2/models/m/', '/v2/models//infer'],
  ...['/v2/models/m/other', '/v2/models/m/constructor', '/v2/models/m/infer/x', '/v2/health'],
  ...['/v2/models/m/versions/1/', '/v2/models/m/versions/1/2', '/RPC'],
])('%j is unknown', (path) => expect(parse(path)).toBeUndefined());

test.each(['0', '-1', '01', '1.5', 'x', '99999999999999999', '9007199254740993', '1e3'])(
  'the version %s is none',
  (version) => {
    expect(() => parse(`/v2/models/m/versions/${version}/infer`)).toThrow('a positive integer');
  },
);

test('a name that is no percent-encoding is refused', () => {
  expect(() => parse('/v2/models/%E0%A4%A/infer')).toThrow('percent-encoded');
});
