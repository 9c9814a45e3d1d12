import { request } from 'node:http';
import { expect, test } from 'vitest';
import { dataUrl, upgrade } from '../support/access.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';

/** Pages that reach a daemon by a name of their own, which they let mean this host (DNS rebinding). */

const EVIL = 'evil.example:9000';
const REFUSED = { error: 'the host evil.example:9000 is not in listen.allowedHosts' };

async function serve(yaml: string): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = await repository.daemonConfig(yaml);
  return startDaemon(repository, config, {}, ['--workers', '1']);
}

function get(daemon: TestDaemon, host: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const call = request(`${dataUrl(daemon)}/v2/models/shift`, { headers: { Host: host } });
    call.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
      );
    });
    call.on('error', reject).end();
  });
}

test('without tokens, a daemon for this host answers to no name but localhost and addresses', async () => {
  const daemon = await serve('');
  expect(await get(daemon, EVIL)).toEqual({ status: 403, body: REFUSED });
  expect(await upgrade(daemon, { Host: EVIL })).toMatchObject({ status: 403, body: REFUSED });
  for (const host of ['localhost:9000', '127.0.0.1', '[::1]:9000']) {
    expect((await get(daemon, host)).status).toBe(200);
    expect((await upgrade(daemon, { Host: host })).status).toBe(101);
  }
});

test('names may be allowed, and a reload follows the list', async () => {
  const daemon = await serve('listen: { allowedHosts: [evil.example] }');
  expect((await get(daemon, EVIL)).status).toBe(200);
  expect((await upgrade(daemon, { Host: EVIL })).status).toBe(101);
  await daemon.repository.daemonConfig('');
  await daemon.reload();
  await daemon.status(); // which the worker answers after it has heard of the list
  expect((await get(daemon, EVIL)).status).toBe(403);
});

test('where a token is asked for, any name will do', async () => {
  const daemon = await serve('auth: { tokens: [a-token-of-the-tests] }');
  const headers = { Host: EVIL, Authorization: 'Bearer a-token-of-the-tests' };
  expect((await upgrade(daemon, headers)).status).toBe(101);
  expect((await get(daemon, EVIL)).status).toBe(401);
});
