import { expect, test } from 'vitest';
import { daemonSchema } from '../../src/config/schema.js';
import { HostNames } from '../../src/server/host-names.js';

const ADDRESSES = ['127.0.0.1', '127.0.0.1:9000', '[::1]', '[::1]:9000', '10.0.0.7:80'];
const LOCAL = ['localhost', 'LocalHost:9000', 'app.localhost:9000', 'localhost.', ''];
const FOREIGN = [
  'evil.example',
  'evil.example:9000',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
];
const ODD = ['notlocalhost', '[evil]', '::evil', ':9000', '127.0.0.1@evil.example'];

test('addresses and localhost are names of this host, others only if they are listed', () => {
  const names = new HostNames(['inference.internal', 'UPPER.example']);
  for (const host of [...ADDRESSES, ...LOCAL]) expect(names.allows(host), host).toBe(true);
  for (const host of [...FOREIGN, ...ODD]) expect(names.allows(host), host).toBe(false);
  for (const host of ['inference.internal:9000', 'Inference.Internal.', 'upper.example']) {
    expect(names.allows(host), host).toBe(true);
  }
});

test('without a list, and with *, all names are allowed', () => {
  for (const names of [new HostNames(undefined), new HostNames(['*'])]) {
    for (const host of [...FOREIGN, ...ODD]) expect(names.allows(host), host).toBe(true);
  }
  expect(new HostNames([]).allows('evil.example')).toBe(false);
});

test.each(['http://a.example', 'a.example:80', 'a/b', '', 'a b'])(
  '%j is refused as an allowed host',
  (name) => {
    const { success } = daemonSchema.safeParse({ models: 'm', listen: { allowedHosts: [name] } });
    expect(success).toBe(false);
  },
);
