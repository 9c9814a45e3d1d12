import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { installPair, TRUSTED } from '../support/certificates.js';
import { runCli } from '../support/cli.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { shiftBody, shiftInput } from '../support/inference-http.js';
import { RawRpc, shiftRequest } from '../support/raw-rpc.js';

/** The data port with TLS, over wss: and https:. */

const TOKEN = 'token-that-goes-over-tls';

async function serve(settings = '', workers = '2', yaml = ''): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  await installPair(repository.path, 'first');
  const config = await repository.daemonConfig(
    `listen: { tls: { cert: cert.pem, key: key.pem${settings} } }\n${yaml}`,
  );
  return startDaemon(repository, config, {}, ['--workers', workers]);
}

const portOf = ({ process }: TestDaemon) => Number(new URL(process.rpcUrl).port);

/** The name in the certificate that a new connection is shown. */
async function shownCertificate(daemon: TestDaemon, options = {}): Promise<string> {
  const port = portOf(daemon);
  const socket = connectTls({ port, host: '127.0.0.1', ca: TRUSTED, ...options });
  try {
    await once(socket, 'secureConnect');
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

function post(daemon: TestDaemon, path: string, body: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const url = daemon.process.rpcUrl.replace('wss:', 'https:').replace('/rpc', path);
    const call = request(url, { method: 'POST', ca: TRUSTED }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    call.on('error', reject).end(body);
  });
}

test('wss: and https: serve what ws: and http: do', async () => {
  const daemon = await serve();
  expect(daemon.process.rpcUrl).toMatch(/^wss:/);
  const rpc = await RawRpc.connect(daemon.process.rpcUrl, { ca: TRUSTED });
  expect((await rpc.call('infer', shiftRequest())).result.version).toBe(1);
  const big = shiftRequest(Array.from({ length: 400_000 }, (_, index) => index));
  const { outputs } = (await rpc.call('infer', big)).result;
  expect(outputs.y?.data.byteLength).toBe(1_600_000);
  const [status, answer] = await post(daemon, '/v2/models/shift/infer', shiftBody());
  expect([status, JSON.parse(answer)]).toMatchObject([200, { model_name: 'shift' }]);
  const data = Array.from({ length: 1_000_000 }, (_, index) => index);
  const long = shiftBody({ inputs: [shiftInput({ shape: [data.length / 4, 4], data })] });
  const [, longAnswer] = await post(daemon, '/v2/models/shift/infer', long);
  const { outputs: answered } = JSON.parse(longAnswer) as { outputs: { data: number[] }[] };
  expect(answered[0]?.data.length).toBe(data.length);
  expect(answered[0]?.data.findIndex((value, index) => value !== index + 1)).toBe(-1);
  await expect(RawRpc.connect(daemon.process.rpcUrl)).rejects.toThrow('self-signed');
});

test('the client library and the command line bring a token and trust a certificate', async () => {
  const daemon = await serve('', '1', `auth: { tokens: [${TOKEN}] }`);
  const client = await connect(daemon.process.rpcUrl, { token: TOKEN, ca: TRUSTED });
  expect((await client.models()).map(({ name }) => name)).toEqual(['shift']);
  await client.close();
  const refused = connect(daemon.process.rpcUrl, { token: `${TOKEN}x`, ca: TRUSTED });
  await expect(refused).rejects.toThrow('401');
  await expect(connect(daemon.process.rpcUrl, { token: TOKEN })).rejects.toMatchObject({
    ...{ code: 'FAILED_PRECONDITION', retryable: false },
    message: expect.stringMatching(/self-signed certificate; .*'ca' \(--ca\)/) as string,
  });
  const plain = connect(daemon.process.rpcUrl.replace('wss:', 'ws:'), { token: TOKEN });
  await expect(plain).rejects.toThrow('then the address begins with wss://');
  const ca = join(daemon.repository.path, 'cert.pem');
  const infer = ['infer', 'shift', '--url', daemon.process.rpcUrl, '--ca', ca];
  const withInput = [...infer, '--input', 'x=[[1, 2, 3, 4]]'];
  const environment = { WARMSWAP_TOKEN: TOKEN };
  expect(await runCli(withInput, undefined, environment)).toMatchObject({ code: 0 });
  expect((await runCli([...withInput, '--token', TOKEN])).code).toBe(0);
  expect((await runCli(withInput)).output).toMatch(/UNAUTHENTICATED: .*401.*WARMSWAP_TOKEN/);
  for (const wrong of [join(daemon.repository.path, 'none.pem'), import.meta.filename]) {
    const { code, output } = await runCli([...withInput, '--ca', wrong], undefined, environment);
    expect([code, output]).toEqual([2, expect.stringContaining(`--ca ${wrong}: `)]);
  }
  const bench = ['bench', '--model', 'shift', '--count', '10', '--warmup', '0s', '--json'];
  const load = [...bench, '--url', daemon.process.rpcUrl, '--ca', ca];
  expect(await runCli(load, undefined, environment)).toMatchObject({
    ...{ code: 0, output: expect.stringContaining('"succeeded":10') as string },
  });
});

test('minVersion keeps older protocols out', async () => {
  const both = await serve();
  const newest = await serve(', minVersion: TLSv1.3');
  const old = { maxVersion: 'TLSv1.2' };
  expect(await shownCertificate(both, old)).toBe('first.test');
  await expect(shownCertificate(newest, old)).rejects.toThrow();
  expect(await shownCertificate(newest)).toBe('first.test');
});

describe('SIGHUP', () => {
  /** Connects again and again; counts by the certificate shown, and what failed. */
  class Connecting {
    readonly shown: Record<string, number> = {};
    readonly errors: unknown[] = [];
    #isRunning = true;
    readonly #done: Promise<unknown>;

    constructor(daemon: TestDaemon) {
      this.#done = Promise.all(Array.from({ length: 4 }, () => this.#drive(daemon)));
    }

    async stop(): Promise<void> {
      this.#isRunning = false;
      await this.#done;
    }

    async #drive(daemon: TestDaemon): Promise<void> {
      while (this.#isRunning) {
        try {
          const name = await shownCertificate(daemon);
          this.shown[name] = (this.shown[name] ?? 0) + 1;
        } catch (error) {
          this.errors.push(error);
        }
      }
    }
  }

  const reloaded = (daemon: TestDaemon, message: string, earlier: number) =>
    daemon.process.logged(
      (line) =>
        line.msg === message &&
        daemon.process.log.filter(({ msg }) => msg === message).length > earlier,
    );

  test('takes a new certificate for new connections, and drops none', async () => {
    const daemon = await serve();
    const kept = await RawRpc.connect(daemon.process.rpcUrl, { ca: TRUSTED });
    const load = new Connecting(daemon);
    for (const [index, name] of ['second', 'first', 'second', 'first', 'second'].entries()) {
      await installPair(daemon.repository.path, name);
      daemon.process.signal('SIGHUP');
      await reloaded(daemon, 'certificate changed', index);
      await daemon.reload();
      await daemon.status(); // which every worker answers after it has taken the certificate
    }
    await load.stop();
    expect(load.errors).toEqual([]);
    expect(Object.keys(load.shown).sort()).toEqual(['first.test', 'second.test']);
    expect((await kept.call('infer', shiftRequest())).result.version).toBe(1);
    for (let time = 0; time < 8; time++) expect(await shownCertificate(daemon)).toBe('second.test');
    const late = await RawRpc.connect(daemon.process.rpcUrl, { ca: TRUSTED });
    expect((await late.call('infer', shiftRequest())).result.version).toBe(1);
    await daemon.admin.post('/restart');
    expect(await late.closed).toMatchObject({ code: 1001 });
    expect(await shownCertificate(daemon)).toBe('second.test');
  });

  test.each([
    ['a key of another certificate', 'second', 'first', 'is not the key of the certificate'],
    ['an expired certificate', 'expired', 'first', 'expired on'],
    ['an encrypted key', 'first', 'encrypted', 'is encrypted'],
  ])('keeps the old certificate instead of %s, and says why', async (_, cert, key, reason) => {
    const daemon = await serve('', '1');
    await installPair(daemon.repository.path, cert, key);
    daemon.process.signal('SIGHUP');
    const line = await daemon.process.logged(({ msg }) => msg === 'the old certificate stays');
    expect(line.reason).toContain(reason);
    expect(await shownCertificate(daemon)).toBe('first.test');
    // Neither does a worker that starts now read the files.
    await daemon.admin.post('/restart');
    expect(await shownCertificate(daemon)).toBe('first.test');
  });
});

test('a daemon whose certificate cannot be used does not start, and says why', async () => {
  const repository = await testRepository();
  await installPair(repository.path, 'second', 'first');
  const config = await repository.daemonConfig('listen: { tls: { cert: cert.pem, key: key.pem } }');
  const { code, output } = await runCli(['serve', '--models', repository.path, ...config]);
  expect([code, output]).toEqual([2, expect.stringContaining('is not the key of the certificate')]);
});
