import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { upgrade } from '../support/access.js';
import { installPair, keyPath, TRUSTED } from '../support/certificates.js';
import { control, startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';

const CLIENT = 'secret-of-a-client';
const OPERATOR = 'secret-of-the-operator';
const REMOVED = 'secret-that-is-removed';
const WRONG = 'secret-that-is-wrong';
const SHORT = 'secret-short';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

test('neither the log nor any answer holds a token, its hash or the key', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await installPair(repository.path, 'first');
  const configure = (tokens: string) =>
    repository.daemonConfig(`log: { level: debug }
listen: { tls: { cert: cert.pem, key: key.pem } }
auth: { tokens: [${tokens}, { token: ${OPERATOR}, scopes: [admin] }] }`);
  const config = await configure(`${CLIENT}, { name: gone, token: ${REMOVED} }`);
  const { process } = await startDaemon(repository, config, {}, ['--workers', '1']);
  const daemon = control(process, repository, OPERATOR);
  const told: unknown[] = [];
  const tell = (...what: unknown[]) => told.push(...what.map((each) => JSON.stringify(each)));
  const connect = (token: string) =>
    RawRpc.connect(process.rpcUrl, { ca: TRUSTED, headers: { Authorization: `Bearer ${token}` } });

  const rpc = await connect(CLIENT);
  tell(await rpc.call('infer', shiftRequest()), await rpc.call('models', {}));
  tell(await rpc.call('describe', { model: 'none' }), await rpc.call('subscribe', { events: [] }));
  for (const token of [WRONG, OPERATOR]) {
    tell(await upgrade(daemon, { Authorization: `Bearer ${token}` }, TRUSTED));
    tell(
      await upgrade(daemon, { 'Sec-WebSocket-Protocol': `warmswap.bearer.${token}, x` }, TRUSTED),
    );
    await daemon.admin.get(`/models?token=none`).catch((error: unknown) => tell(String(error)));
  }
  for (const token of [WRONG, CLIENT]) {
    const headers = { Authorization: `Bearer ${token}` };
    tell(await (await fetch(`${process.adminUrl}/status`, { headers })).json());
  }
  // A token that is gone, a key that does not fit, a configuration that is refused.
  const removed = await connect(REMOVED);
  await configure(CLIENT);
  await installPair(repository.path, 'first', 'second');
  tell(await daemon.reload());
  tell(await removed.closed);
  await configure(`${CLIENT}, ${SHORT}`);
  await daemon.reload().catch((error: unknown) => tell(String(error)));
  tell(await daemon.status(), process.log);

  const all = told.join('\n');
  expect(all).toContain('the old certificate stays');
  expect(all).toContain('expected 16 to 256 characters');
  const tokens = [CLIENT, OPERATOR, REMOVED, WRONG, SHORT];
  const keys = ['first', 'second'].flatMap((name) =>
    readFileSync(keyPath(name), 'utf8')
      .split('\n')
      .filter((line) => line.length > 20 && !line.includes('-----')),
  );
  expect(keys).toHaveLength(6);
  for (const secret of [...tokens, ...tokens.map(hash), ...keys]) {
    expect(all).not.toContain(secret);
  }
});
