import { request } from 'node:http';
import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

test('both ports tell that the daemon is live and ready, and answer other paths with 404', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository);
  const data = process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '');
  for (const base of [data, process.adminUrl]) {
    const live = await fetch(`${base}/v2/health/live`);
    expect([live.status, await live.json()]).toEqual([200, { live: true }]);
    const ready = await fetch(`${base}/v2/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
    const other = await fetch(`${base}/other`);
    expect([other.status, await other.json()]).toMatchObject([404, { error: /GET \/other/ }]);
  }
});

test('the data port tells those who know no path where to go', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository, [], {}, ['--workers', '1']);
  const root = await fetch(process.rpcUrl.replace('ws:', 'http:').replace('/rpc', '/'));
  expect(await root.json()).toEqual({
    error: 'there is no GET /: RPC is at /rpc, the Open Inference Protocol at /v2',
  });
  const elsewhere = connect(process.rpcUrl.replace('/rpc', '/socket'));
  await expect(elsewhere).rejects.toMatchObject({
    ...{ code: 'FAILED_PRECONDITION', retryable: false },
    message: expect.stringContaining('there is no GET /socket: RPC is at /rpc') as string,
  });
});

test('the admin interface refuses what it cannot read, with the reason', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const { process } = await startDaemon(repository);
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(process.adminUrl + path, { method: 'POST', body, headers });
    return [response.status, ((await response.json()) as { error: string }).error];
  };
  const activate = '/models/shift/activate';
  expect(await post(activate, '{')).toEqual([400, expect.stringContaining('JSON')]);
  expect(await post(activate, '{"verison": 1}')).toEqual([
    400,
    expect.stringContaining('did you mean version?'),
  ]);
  expect(await post(activate, '{"version": 9}')).toEqual([404, expect.stringContaining('shift/9')]);
  expect(await post(activate, `"${'x'.repeat(70_000)}"`)).toEqual([
    413,
    expect.stringContaining('65536'),
  ]);
  const named = await new Promise<number | undefined>((resolve) => {
    const headers = { Host: 'evil.example' };
    request(`${process.adminUrl}/status`, { headers }, ({ statusCode }) =>
      resolve(statusCode),
    ).end();
  });
  expect(named).toBe(403);
  expect(await post('/reload', '', { Origin: 'http://evil.example' })).toEqual([
    403,
    expect.stringContaining('browsers'),
  ]);
});

test('a message over the limit closes the connection with 1009', async () => {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = join(repository.path, 'warmswap.yaml');
  await writeFile(config, 'limits: { maxMessageBytes: 1KiB, maxConnections: 1 }');
  const { process } = await startDaemon(repository, ['--config', config, '--workers', '1']);
  const rpc = await RawRpc.connect(process.rpcUrl);
  expect((await rpc.call('ping', 'x'.repeat(900))).result).toHaveLength(900);
  await expect(RawRpc.connect(process.rpcUrl)).rejects.toThrow('503');
  rpc.send(new Uint8Array(1_500));
  expect(await rpc.closed).toMatchObject({
    code: 1009,
    reason: expect.stringContaining('1024') as string,
  });
});
