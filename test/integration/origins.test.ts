import { expect, test } from 'vitest';
import { dataUrl, upgrade } from '../support/access.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { shiftBody } from '../support/inference-http.js';

/** Web pages: what they may, and what not, by the Origin that their browser names. */

const APP = 'https://app.example';
const EVIL = 'https://evil.example';

async function serve(yaml = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = await repository.daemonConfig(yaml);
  return startDaemon(repository, config, {}, ['--workers', '1']);
}

const statusOf = async (daemon: TestDaemon, origin: string) =>
  (await upgrade(daemon, { Origin: origin })).status;

async function ask(daemon: TestDaemon, method: string, path: string, origin: string) {
  const headers: Record<string, string> = { Origin: origin };
  if (method === 'OPTIONS') headers['Access-Control-Request-Method'] = 'POST';
  const body = method === 'POST' ? { body: shiftBody() } : {};
  const response = await fetch(dataUrl(daemon) + path, { method, headers, ...body });
  await response.arrayBuffer();
  const { status } = response;
  return { status, allowed: response.headers.get('access-control-allow-origin'), response };
}

test('without a list, pages of other hosts can neither connect nor run a model', async () => {
  const daemon = await serve();
  expect(await upgrade(daemon, { Origin: EVIL })).toMatchObject({
    ...{ status: 403, body: { error: `pages of ${EVIL} are not in listen.origins` } },
  });
  expect(await statusOf(daemon, 'null')).toBe(403);
  expect(await statusOf(daemon, 'http://localhost:5173')).toBe(101);
  expect((await upgrade(daemon, {})).status).toBe(101);
  const infer = '/v2/models/shift/infer';
  expect(await ask(daemon, 'POST', infer, EVIL)).toMatchObject({ status: 403, allowed: null });
  expect(await ask(daemon, 'OPTIONS', infer, EVIL)).toMatchObject({ status: 403, allowed: null });
});

test('listed pages may connect, and read what HTTP answers', async () => {
  const daemon = await serve(`listen: { origins: [${APP}] }`);
  expect(await statusOf(daemon, APP)).toBe(101);
  expect(await statusOf(daemon, EVIL)).toBe(403);
  expect(await statusOf(daemon, 'http://localhost:5173')).toBe(403);
  const infer = '/v2/models/shift/infer';
  const { status, allowed, response } = await ask(daemon, 'OPTIONS', infer, APP);
  expect([status, allowed]).toEqual([200, APP]);
  expect(response.headers.get('access-control-allow-methods')).toContain('POST');
  expect(response.headers.get('access-control-allow-headers')).toContain('Authorization');
  expect(await ask(daemon, 'POST', infer, APP)).toMatchObject({ status: 200, allowed: APP });
  expect(await ask(daemon, 'GET', '/nothing', APP)).toMatchObject({ status: 404, allowed: APP });
});

test('a preflight needs no token, what follows it does', async () => {
  const daemon = await serve(
    `listen: { origins: ['*'] }\nauth: { tokens: [a-token-of-the-tests] }`,
  );
  const infer = '/v2/models/shift/infer';
  expect(await ask(daemon, 'OPTIONS', infer, APP)).toMatchObject({ status: 200, allowed: APP });
  expect(await ask(daemon, 'POST', infer, APP)).toMatchObject({ status: 401, allowed: APP });
});

test('a reload follows the list', async () => {
  const daemon = await serve();
  await daemon.repository.daemonConfig(`listen: { origins: [${APP}] }`);
  await daemon.reload();
  await daemon.status(); // which the worker answers after it has heard of the list
  expect(await statusOf(daemon, APP)).toBe(101);
});
