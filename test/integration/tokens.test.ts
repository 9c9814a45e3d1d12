import { readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect as connectFromBrowser } from '../../src/client/browser.js';
import { connect as connectFromNode, type ClientOptions } from '../../src/client/index.js';
import { dataUrl, upgrade } from '../support/access.js';
import { control, startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { shiftBody } from '../support/inference-http.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

/** Who may use a daemon that has tokens. */

const ALL = 'token-for-every/model==';
const ONE = 'token-for-one-model';
const OPERATOR = 'token-of-the-operator';
const PASSED = 'token-of-admin.token';

const TOKENS = `auth:
  tokens:
    - { name: all, token: ${ALL} }
    - { name: one, token: ${ONE}, models: [shift, absent] }
    - { name: operator, token: ${OPERATOR}, scopes: [admin] }
`;

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Two models, `shift` and `other`, that answer the same. */
async function serve(yaml = TOKENS, environment = {}): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await repository.publish('other', 1, 'shift', 1);
  const config = await repository.daemonConfig(yaml);
  const { process } = await startDaemon(repository, ['--workers', '1', ...config], environment);
  return control(process, repository, OPERATOR);
}

const rpcWith = ({ process }: TestDaemon, token: string) =>
  RawRpc.connect(process.rpcUrl, { headers: bearer(token) });

async function http(
  daemon: TestDaemon,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<[number, unknown]> {
  const method = body === undefined ? 'GET' : 'POST';
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  const response = await fetch(dataUrl(daemon) + path, init);
  return [response.status, await response.json()];
}

describe('without a token of the scope infer', () => {
  test('a WebSocket is refused with 401, and with 403 if the token is another one', async () => {
    const daemon = await serve();
    for (const headers of [{}, bearer('a-token-that-is-wrong'), { Authorization: ALL }]) {
      const refusal = await upgrade(daemon, headers);
      expect(refusal).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(JSON.stringify(refusal.body)).not.toContain('wrong');
    }
    expect(await upgrade(daemon, bearer(OPERATOR))).toMatchObject({ status: 403 });
    expect(await upgrade(daemon, bearer(ALL))).toMatchObject({ status: 101 });
  });

  test('HTTP answers nothing but health', async () => {
    const daemon = await serve();
    const paths = ['/v2', '/v2/models/shift', '/v2/models/stats', '/nothing', '/rpc'];
    for (const path of paths) expect((await http(daemon, path))[0]).toBe(401);
    expect((await http(daemon, '/v2/models/shift/infer', {}, shiftBody()))[0]).toBe(401);
    expect((await http(daemon, '/v2', bearer(OPERATOR)))[0]).toBe(403);
    expect(await http(daemon, '/v2/health/ready')).toEqual([200, { ready: true }]);
    const infer = await http(daemon, '/v2/models/shift/infer', bearer(ALL), shiftBody());
    expect(infer).toMatchObject([200, { model_name: 'shift' }]);
  });
});

test('a browser brings its token in the first subprotocol, and is not answered with it', async () => {
  const daemon = await serve();
  const offer = (...protocols: string[]) =>
    upgrade(daemon, { 'Sec-WebSocket-Protocol': protocols.join(', ') });
  const carrier = `warmswap.bearer.${encodeURIComponent(ALL)}`;
  expect(await offer(carrier, 'warmswap')).toMatchObject({
    ...{ status: 101, headers: { 'sec-websocket-protocol': 'warmswap' } },
  });
  expect(await offer(carrier)).toMatchObject({ status: 400 });
  expect(await offer('warmswap', carrier)).toMatchObject({ status: 401 });
  expect(await offer('warmswap.bearer.wrong', 'warmswap')).toMatchObject({ status: 401 });
  const rpc = await RawRpc.connect(daemon.process.rpcUrl, { protocols: [carrier, 'warmswap'] });
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
});

/** Requests that the model has answered in all, those of its warm-up too. */
async function answeredBy({ status }: TestDaemon, name: string): Promise<number | undefined> {
  const model = (await status()).models.find((each) => each.name === name);
  return model?.versions[0]?.statistics?.requests.OK;
}

test('the client library brings it, by header and as browsers do', async () => {
  const daemon = await serve();
  const x = { shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
  vi.stubGlobal('WebSocket', WebSocket);
  onTestFinished(() => void vi.unstubAllGlobals());
  for (const connect of [connectFromNode, connectFromBrowser]) {
    const client = await connect(daemon.process.rpcUrl, { token: ALL });
    expect(await client.infer({ model: 'shift', inputs: { x } })).toMatchObject({ version: 1 });
    await client.close();
    const refused = connect(daemon.process.rpcUrl, { token: `${ONE}x` });
    await expect(refused).rejects.toThrow('401');
  }
  const refusal = (options: ClientOptions) => connectFromNode(daemon.process.rpcUrl, options);
  await expect(refusal({ token: `${ONE}x` })).rejects.toMatchObject({
    ...{ code: 'UNAUTHENTICATED', retryable: false },
    message: expect.stringContaining('the token is not known') as string,
  });
  await expect(refusal({})).rejects.toThrow("expected the header 'Authorization: Bearer TOKEN'");
  await expect(refusal({ token: OPERATOR })).rejects.toMatchObject({
    ...{ code: 'PERMISSION_DENIED', retryable: false },
    message: expect.stringContaining("has not the scope 'infer'") as string,
  });
  const wrong = connectFromNode(daemon.process.rpcUrl, { token: 'not a token' });
  await expect(wrong).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.not.stringContaining('not a token') as string,
  });
});

describe('a token with models', () => {
  test('allows these by RPC and shows no others', async () => {
    const daemon = await serve();
    const warmUps = await answeredBy(daemon, 'other');
    const rpc = await rpcWith(daemon, ONE);
    const codeOf = async (method: string, params: unknown) =>
      (await rpc.call(method, params)).error?.code;
    expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
    const listed = (await rpc.call('models', {})).result as unknown as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['shift']);
    for (const model of ['other', 'unknown']) {
      expect(await codeOf('infer', { ...shiftRequest(), model })).toBe('PERMISSION_DENIED');
      expect(await codeOf('infer', { ...shiftRequest(), model, version: 1 })).toBe(
        'PERMISSION_DENIED',
      );
      expect(await codeOf('describe', { model })).toBe('PERMISSION_DENIED');
    }
    const absent = await rpc.call('infer', { ...shiftRequest(), model: 'absent' });
    expect(absent.error).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.not.stringContaining('other') as string,
    });
    expect(await answeredBy(daemon, 'other')).toBe(warmUps);
  });

  test('allows these over HTTP and shows no others', async () => {
    const daemon = await serve();
    const get = (path: string, body?: string) => http(daemon, path, bearer(ONE), body);
    expect((await get('/v2/models/shift'))[0]).toBe(200);
    expect((await get('/v2/models/shift/infer', shiftBody()))[0]).toBe(200);
    for (const name of ['other', 'unknown']) {
      for (const rest of ['', '/ready', '/stats', '/versions/1']) {
        expect((await get(`/v2/models/${name}${rest}`))[0]).toBe(403);
      }
      expect((await get(`/v2/models/${name}/infer`, shiftBody()))[0]).toBe(403);
    }
    const [status, body] = await get('/v2/models/absent');
    expect([status, JSON.stringify(body)]).toEqual([404, expect.not.stringContaining('other')]);
    const [, statistics] = (await get('/v2/models/stats')) as [number, { model_stats: object[] }];
    expect(statistics.model_stats).toMatchObject([{ name: 'shift' }]);
  });

  test('brings events of these alone', async () => {
    const daemon = await serve();
    const [one, all] = [await rpcWith(daemon, ONE), await rpcWith(daemon, ALL)];
    for (const rpc of [one, all]) await rpc.call('subscribe', { events: ['model'] });
    await daemon.repository.publish('other', 2, 'shift', 2);
    await daemon.admin.post('/reload');
    await daemon.repository.publish('shift', 2);
    await daemon.admin.post('/reload');
    const sawShift = (rpc: RawRpc) => rpc.events.some((event) => event.model === 'shift');
    await until('both have the last events', () => sawShift(one) && sawShift(all));
    expect(new Set(one.events.map(({ model }) => model))).toEqual(new Set(['shift']));
    expect(new Set(all.events.map(({ model }) => model))).toEqual(new Set(['shift', 'other']));
  });
});

test('the admin port takes tokens of the scope admin, and admin.token, by the same rules', async () => {
  const daemon = await serve(TOKENS, { WARMSWAP_ADMIN_TOKEN: PASSED });
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${daemon.process.adminUrl}/status`, { headers })).status;
  expect(await status(bearer(OPERATOR))).toBe(200);
  expect(await status(bearer(PASSED))).toBe(200);
  expect(await status(bearer(ALL))).toBe(403);
  expect(await status(bearer('a-token-that-is-wrong'))).toBe(401);
  expect(await status({})).toBe(401);
});

test('tokens of one scope leave the other port as it is', async () => {
  const daemon = await serve(`auth: { tokens: [{ token: ${OPERATOR}, scopes: [admin] }] }`);
  expect(await upgrade(daemon, {})).toMatchObject({ status: 101 });
  const response = await fetch(`${daemon.process.adminUrl}/status`);
  expect(response.status).toBe(401);
});

describe('SIGHUP', () => {
  test('closes the connections of tokens that are gone, and keeps the others', async () => {
    const daemon = await serve();
    const [one, all] = [await rpcWith(daemon, ONE), await rpcWith(daemon, ALL)];
    const added = 'token-that-was-added';
    await daemon.repository.daemonConfig(`auth:
  tokens:
    - { name: all, token: ${ALL}, models: [other] }
    - { name: added, token: ${added} }
`);
    daemon.process.signal('SIGHUP');
    expect(await one.closed).toMatchObject({ code: 1008 });
    const changed = await daemon.process.logged((line) => line.msg === 'access changed');
    expect(changed).toMatchObject({ addedTokens: ['added'], removedTokens: ['one', 'operator'] });
    expect((await all.call('infer', shiftRequest())).error?.code).toBe('PERMISSION_DENIED');
    const other = await all.call('infer', { ...shiftRequest(), model: 'other' });
    expect(other.result.version).toBe(1);
    expect(await upgrade(daemon, bearer(ONE))).toMatchObject({ status: 401 });
    expect(await upgrade(daemon, bearer(added))).toMatchObject({ status: 101 });
    const response = await fetch(`${daemon.process.adminUrl}/status`);
    expect(response.status).toBe(200);
  });

  test('that takes a token away fails its calls at once, until it is known again', async () => {
    const daemon = await serve();
    const reconnect = { baseMs: 1, maxMs: 20 };
    const options = { token: ALL, reconnect, connectionWaitMs: 1e9 };
    const client = await connectFromNode(daemon.process.rpcUrl, options);
    onTestFinished(() => client.destroy());
    await daemon.repository.daemonConfig(TOKENS.replace(ALL, 'token-of-another-time'));
    daemon.process.signal('SIGHUP');
    await daemon.process.logged((line) => line.msg === 'access changed');
    const refusal = { code: 'UNAUTHENTICATED', retryable: false };
    const pings = async () => {
      for (;;) await client.ping();
    };
    await expect(pings()).rejects.toMatchObject(refusal);
    await expect(client.models()).rejects.toMatchObject(refusal);
    await daemon.repository.daemonConfig(TOKENS);
    await daemon.reload();
    await until('it is let in again', () => client.ping(true).catch(() => false));
  });

  test('with the first token closes those who came without one', async () => {
    const daemon = await serve('auth: {}');
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    await rpc.call('ping');
    await daemon.repository.daemonConfig(TOKENS);
    daemon.process.signal('SIGHUP');
    expect(await rpc.closed).toMatchObject({ code: 1008 });
  });

  test('with tokens that cannot be read changes nothing', async () => {
    const daemon = await serve();
    const all = await rpcWith(daemon, ALL);
    await daemon.repository.daemonConfig('auth: { tokens: [{ tokenFile: missing }] }');
    daemon.process.signal('SIGHUP');
    await daemon.process.logged((line) => line.msg.startsWith('reload refused'));
    expect((await all.call('infer', shiftRequest())).result.version).toBe(1);
    expect(await upgrade(daemon, bearer(ONE))).toMatchObject({ status: 101 });
  });
});

test('a stream of events ends with the token of its reader', async () => {
  const daemon = await serve();
  const response = await fetch(`${daemon.process.adminUrl}/events`, { headers: bearer(OPERATOR) });
  const ended = response.text();
  await daemon.repository.daemonConfig(TOKENS.replace(OPERATOR, 'token-of-the-next-operator'));
  daemon.process.signal('SIGHUP');
  expect(await ended).toMatch(/^: events/);
});

test('no worker has the operator’s token in its environment', async () => {
  const daemon = await serve(TOKENS, { WARMSWAP_ADMIN_TOKEN: PASSED });
  const [worker] = (await daemon.status()).workers;
  const environment = await readFile(`/proc/${worker?.pid}/environ`, 'utf8');
  expect(environment).toContain('WARMSWAP_STORE');
  expect(environment).not.toContain(PASSED);
});

test('no worker has a token of the configuration in its environment, and a reload finds it', async () => {
  const variables = { TOKEN_OF_ONE: ONE, TOKEN_OF_ALL: ALL };
  const daemon = await serve(TOKENS.replace(ONE, "'${TOKEN_OF_ONE}'"), variables);
  const [worker] = (await daemon.status()).workers;
  const environment = await readFile(`/proc/${worker?.pid}/environ`, 'utf8');
  expect(environment).toContain('WARMSWAP_STORE');
  for (const token of Object.values(variables)) expect(environment).not.toContain(token);
  await daemon.admin.post('/reload');
  expect(await upgrade(daemon, bearer(ONE))).toMatchObject({ status: 101 });
});

test('a worker that starts later has the tokens of then', async () => {
  const daemon = await serve();
  await daemon.repository.daemonConfig(TOKENS.replace(ONE, 'token-of-another-time'));
  await daemon.admin.post('/reload');
  await daemon.admin.post('/restart');
  expect(await upgrade(daemon, bearer(ONE))).toMatchObject({ status: 401 });
  expect(await upgrade(daemon, bearer('token-of-another-time'))).toMatchObject({ status: 101 });
});
