import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';
import type { TestRepository } from '../support/repository.js';
import { until } from '../support/until.js';

/** What a version has to pass before it serves: what clients really ask, and what its publisher gives. */

// slow-rows answers every number in time, pick none above 3; both have x INT64 [n] -> y FP32 [n].
const ANSWERS_ALL = 'slow-rows';
const ANSWERS_UP_TO_3 = 'pick';

const request = (...values: number[]) => {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { model: 'm', inputs: { x: { datatype: 'INT64', shape: [values.length], data } } };
};

const file = (...values: number[]) =>
  JSON.stringify({ inputs: { x: { datatype: 'INT64', shape: [values.length], data: values } } });

/** Puts a request beside a version as a publisher should. */
async function writeRequest(
  { path }: TestRepository,
  version: number,
  content: string,
): Promise<string> {
  const target = join(path, 'm', String(version), 'warmup', 'a.json');
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.new`, content);
  await rename(`${target}.new`, target);
  return target;
}

/** One worker that serves this fixture as version 1 of m, with this request beside it. */
async function serve(fixture: string, { yaml = '', content = '' } = {}) {
  const repository = await testRepository();
  await repository.publish('m', 1, fixture, 1);
  await repository.configure('m', yaml);
  if (content) await writeRequest(repository, 1, content);
  const daemon = await startDaemon(repository, ['--workers', '1']);
  return { repository, daemon, rpc: await RawRpc.connect(daemon.process.rpcUrl) };
}

const onlyChange = async ({ reload }: TestDaemon) => {
  const { changes } = await reload();
  expect(changes).toHaveLength(1);
  return changes[0];
};

describe('a version that fails a request', () => {
  test('that the active version has answered is refused, and that one serves on', async () => {
    const { repository, daemon, rpc } = await serve(ANSWERS_ALL);
    expect((await rpc.call('infer', request(1, 5))).error).toBeNull();
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    const change = await onlyChange(daemon);
    expect(change).toMatchObject({ from: 1, to: 2, result: 'failed' });
    expect(change?.reason).toContain(
      'warm-up failed with a request that version 1, the active one, has answered, x INT64 [2]: ',
    );
    const { error, result } = await rpc.call('infer', request(7));
    expect([error, result.version]).toEqual([null, 1]);
    expect((await daemon.status()).models[0]).toMatchObject({
      active: 1,
      versions: [{ state: 'active' }, { version: 2, state: 'failed', reason: change?.reason }],
    });
  });

  test('may serve under a label, but not become active', async () => {
    const { repository, daemon, rpc } = await serve(ANSWERS_ALL);
    await rpc.call('infer', request(5));
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    await repository.configure('m', 'active: 1\nlabels: { canary: 2 }');
    await daemon.reload();
    const canary = { ...request(3), label: 'canary' };
    expect((await rpc.call('infer', canary)).result.version).toBe(2);
    const reason = expect.stringContaining('a request that version 1, the active one') as string;
    expect((await daemon.status()).models[0]?.versions).toMatchObject([
      { version: 1, state: 'active' },
      { version: 2, state: 'ready', reason },
    ]);
    await repository.configure('m', 'active: 2\nlabels: { canary: 2 }');
    await daemon.reload();
    expect((await rpc.call('infer', request(5))).result.version).toBe(1);
  });

  test('that no client has asked is not refused', async () => {
    const { repository, daemon, rpc } = await serve(ANSWERS_ALL);
    expect((await rpc.call('infer', request(1, 3))).error).toBeNull();
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    expect(await onlyChange(daemon)).toMatchObject({ to: 2, result: 'committed' });
  });

  test('that the active version fails as well is not refused', async () => {
    const { repository, daemon, rpc } = await serve(ANSWERS_UP_TO_3);
    expect((await rpc.call('infer', request(5))).error?.code).toBeDefined();
    expect((await rpc.call('infer', request(2))).error).toBeNull();
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    expect(await onlyChange(daemon)).toMatchObject({ to: 2, result: 'committed' });
  });

  test('only in a batch with others is refused', async () => {
    const yaml = 'batching: { maxBatch: 4 }';
    const { repository, daemon, rpc } = await serve(ANSWERS_ALL, { yaml });
    for (const value of [1, 2, 5]) await rpc.call('infer', request(value));
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    const change = await onlyChange(daemon);
    expect(change?.reason).toContain('warm-up failed with 4 rows of requests that version 1');
  });
});

describe('a warm-up file', () => {
  test('that cannot be used refuses the version with the reason, until it is mended', async () => {
    const { repository, daemon, rpc } = await serve(ANSWERS_ALL);
    await rpc.call('infer', request(1));
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    const refused: [string, string][] = [
      ['{', 'JSON'],
      [file(1).replace('INT64', 'FP32'), "input 'x': expected INT64 [?], got FP32 [1]"],
      [file(1).replace('[1]', '[2]'), "input 'x': expected 2 elements for [2], got 1"],
    ];
    for (const [content, reason] of refused) {
      const path = await writeRequest(repository, 2, content);
      const change = await onlyChange(daemon);
      expect(change).toMatchObject({ from: 1, to: 2, result: 'failed' });
      expect(change?.reason).toContain(`${path}: `);
      expect(change?.reason).toContain(reason);
      expect((await rpc.call('infer', request(1))).result.version).toBe(1);
    }
    await writeRequest(repository, 2, file(1, 3));
    expect(await onlyChange(daemon)).toMatchObject({ to: 2, result: 'committed' });
  });

  test('is run where no client has asked anything', async () => {
    const { repository, daemon } = await serve(ANSWERS_ALL);
    await repository.publish('m', 2, ANSWERS_UP_TO_3, 1);
    const path = await writeRequest(repository, 2, file(5));
    const change = await onlyChange(daemon);
    expect(change).toMatchObject({ from: 1, to: 2, result: 'failed' });
    expect(change?.reason).toContain(`warm-up failed with the file ${path}: x INT64 [1]: `);
  });

  test('that is spoilt later changes nothing, also not for a worker that joins', async () => {
    const { repository, daemon } = await serve(ANSWERS_ALL, { content: file(1) });
    await writeRequest(repository, 1, '{');
    expect((await daemon.reload()).changes).toEqual([]);
    const [first] = (await daemon.status()).workers;
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until('another worker has joined', async () => {
      const [worker] = (await daemon.status()).workers;
      return worker?.restarts === 1 && worker.state === 'ready';
    });
    const rpc = await RawRpc.connect(daemon.process.rpcUrl);
    expect((await rpc.call('infer', request(1))).error).toBeNull();
  });
});
