import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BenchResult } from '../../src/cli/bench/result.js';
import { CLI, runCli } from '../support/cli.js';
import { startDaemon, testRepository } from '../support/daemon.js';
import {
  answer,
  FakeRpcServer,
  refuse,
  type Behaviour,
  type Received,
} from '../support/fake-rpc-server.js';
import type { TestRepository } from '../support/repository.js';

const ENOUGH = ['--duration', '50s', '--warmup', '0s'];

function parse({ output }: { output: string }): BenchResult {
  return JSON.parse(output) as BenchResult;
}

describe('against a daemon', () => {
  let repository: TestRepository;
  let url: string;
  const bench = (...args: string[]) => runCli(['bench', '--url', url, ...args]);

  beforeEach(async () => {
    repository = await testRepository();
    for (const version of [1, 2]) await repository.publish('shift', version);
    await repository.configure('shift', 'versions: all\nlabels: { old: 1 }');
    const daemon = await startDaemon(repository, [], {}, ['--workers', '1']);
    url = daemon.process.rpcUrl;
  });

  test('a closed loop ends after its requests and tells all that JSON has', async () => {
    const load = ['--model', 'shift', '--concurrency', '4', '--connections', '2'];
    const { code, output } = await bench(...load, '--count', '40', ...ENOUGH, '--json');
    expect(code).toBe(0);
    const distribution = {
      mean: expect.any(Number) as number,
      p50: expect.any(Number) as number,
      p90: expect.any(Number) as number,
      p99: expect.any(Number) as number,
      p999: expect.any(Number) as number,
      max: expect.any(Number) as number,
    };
    expect(JSON.parse(output)).toEqual({
      model: 'shift',
      url,
      loop: { kind: 'closed', concurrency: 4 },
      connections: 2,
      seconds: expect.any(Number) as number,
      requests: 40,
      succeeded: 40,
      failed: 0,
      unsent: 0,
      unanswered: 0,
      disconnects: 0,
      errors: {},
      versions: { 2: 40 },
      requestsPerSecond: expect.any(Number) as number,
      latencyUs: distribution,
      queueUs: distribution,
      computeUs: distribution,
      meanBatchSize: 1,
      client: {
        eventLoopUtilization: expect.any(Number) as number,
        isBottleneck: expect.any(Boolean) as boolean,
        sendDelayUs: null,
      },
    });
  });

  test('an open loop sends as many as are due, to the version that is named', async () => {
    const load = ['--model', 'shift', '--rate', '400', '--label', 'old'];
    const result = parse(await bench(...load, '--count', '40', ...ENOUGH, '--json'));
    expect(result).toMatchObject({
      loop: { kind: 'open', ratePerSecond: 400 },
      connections: 8,
      requests: 40,
      succeeded: 40,
      unsent: 0,
      versions: { 1: 40 },
    });
    expect(result.client.sendDelayUs).not.toBeNull();
    // The last one is due 39 intervals after the first.
    expect(result.seconds).toBeGreaterThanOrEqual(39 / 400);
  });

  test('without a count, warm-up and measuring end with their time', async () => {
    const { code, output } = await bench(
      '--model',
      'shift',
      '--duration',
      '300ms',
      '--warmup',
      '100ms',
    );
    expect(code).toBe(0);
    expect(output).toMatch(/^shift version 2 at ws.*: 1 request at a time over 1 connection for/);
    expect(output).toMatch(/\nrequests {4}\d+, 0 failed\n/);
    expect(output).toMatch(/\nlatency( +\S+ \S+){6}\n/);
    expect(output).not.toContain('\r');
  });

  test('errors are counted by code, and a load of errors alone ends with 1', async () => {
    const load = ['--model', 'shift', '--priority', '9', '--count', '10', ...ENOUGH];
    const { code, output } = await bench(...load, '--json');
    expect(JSON.parse(output)).toMatchObject({
      requests: 10,
      failed: 10,
      succeeded: 0,
      latencyUs: null,
      errors: {
        INVALID_ARGUMENT: { count: 10, message: expect.stringContaining('priority') as string },
      },
    });
    expect(code).toBe(1);
    expect((await bench(...load)).output).toMatch(/\nINVALID_ARGUMENT +10 +.*priority/);
  });

  test('inputs are given, recorded or made for a shape', async () => {
    const once = ['--model', 'shift', '--count', '3', ...ENOUGH, '--json'];
    const recorded = join(repository.path, 'requests.jsonl');
    const x = { datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] };
    await writeFile(recorded, `${JSON.stringify({ inputs: { x } })}\n`.repeat(2));
    for (const inputs of [
      ['--input', 'x=1,2,3,4'],
      ['--requests', recorded],
      ['--shape', 'x=5,4'],
    ]) {
      expect(parse(await bench(...once, ...inputs))).toMatchObject({ succeeded: 3 });
    }
  });

  test('wrong usage ends with 2 and says what was expected', async () => {
    const model = ['--model', 'shift'];
    const cases: [string[], string][] = [
      [[], '--model'],
      [[...model, '--rate', '5', '--concurrency', '5'], 'cannot be used with'],
      [[...model, '--shape', 'z=1'], 'NAME of x'],
      [[...model, '--concurrency', '600', '--connections', '2'], 'less than --concurrency 600'],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await bench(...args);
      expect(output).toContain(message);
      expect(code).toBe(2);
    }
    expect(await bench('--model', 'none')).toMatchObject({ code: 1 });
  });
});

const DESCRIPTION = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }], outputs: [] };
const RESULT = { version: 7, timing: { queueUs: 1, computeUs: 2, batchSize: 4 } };

/** A server whose model is described, and whose inferences do what the test says. */
function fakeModel(onInfer: Behaviour): Promise<FakeRpcServer> {
  return FakeRpcServer.start((request, server) => {
    if (request.method === 'infer') onInfer(request, server);
    else answer(request, DESCRIPTION);
  });
}

test('an open loop counts the time for which a request that was due could not be sent', async () => {
  const held: Received[] = [];
  const server = await fakeModel((request) => {
    held.push(request);
    if (held.length === 256) for (const each of held.splice(0)) answer(each, RESULT);
  });
  // All are due at once, and sent in four turns of what a connection takes.
  const load = ['--rate', '1000000', '--connections', '1', '--count', '1024', ...ENOUGH, '--json'];
  const result = parse(await runCli(['bench', '--model', 'm', '--url', server.url, ...load]));
  const { mean = 0, max = 0 } = result.client.sendDelayUs ?? {};
  expect(result).toMatchObject({ succeeded: 1024, unsent: 0 });
  expect(mean).toBeGreaterThan(0);
  expect(result.latencyUs?.mean).toBeGreaterThan(mean);
  expect(result.latencyUs?.max).toBeGreaterThan(max);
});

test('requests of the warm-up are not counted', async () => {
  const server = await fakeModel((request) => answer(request, RESULT));
  const load = ['--warmup', '100ms', '--duration', '50s', '--count', '5', '--json'];
  const result = parse(await runCli(['bench', '--model', 'm', '--url', server.url, ...load]));
  expect(result).toMatchObject({ requests: 5, versions: { 7: 5 } });
  expect(server.count('infer')).toBeGreaterThan(5);
});

test('an open loop does not wait for answers', async () => {
  const held: Received[] = [];
  const server = await fakeModel((request) => {
    held.push(request);
    if (held.length === 40) for (const each of held) answer(each, RESULT);
  });
  const load = ['--rate', '200', '--count', '40', ...ENOUGH, '--json'];
  const result = parse(await runCli(['bench', '--model', 'm', '--url', server.url, ...load]));
  expect(result).toMatchObject({ succeeded: 40, meanBatchSize: 4, versions: { 7: 40 } });
  // The first was due 195 ms before the last, and answered after it had come.
  expect(result.latencyUs?.max).toBeGreaterThanOrEqual(195_000);
  expect(result.latencyUs?.p50).toBeGreaterThanOrEqual(95_000);
});

test('a closed loop has no more requests in flight than it should', async () => {
  let inFlight = 0;
  let most = 0;
  const server = await fakeModel((request) => {
    most = Math.max(most, ++inFlight);
    setImmediate(() => {
      inFlight--;
      answer(request, RESULT);
    });
  });
  const load = ['--concurrency', '3', '--count', '60', ...ENOUGH, '--json'];
  const result = parse(await runCli(['bench', '--model', 'm', '--url', server.url, ...load]));
  expect(result).toMatchObject({ succeeded: 60, connections: 3 });
  expect(most).toBe(3);
});

test('requests of a connection that ends are counted, and the load goes on over a new one', async () => {
  let requests = 0;
  const server = await fakeModel((request, all) => {
    requests++;
    if (requests === 5) all.cut();
    else if (requests === 8) refuse(request, { code: 'RESOURCE_EXHAUSTED', message: 'full' });
    else answer(request, RESULT);
  });
  const load = ['--count', '20', '--connections', '1', ...ENOUGH, '--json'];
  const result = parse(await runCli(['bench', '--model', 'm', '--url', server.url, ...load]));
  expect(result).toMatchObject({
    requests: 20,
    succeeded: 18,
    disconnects: 1,
    errors: { UNAVAILABLE: { count: 1 }, RESOURCE_EXHAUSTED: { count: 1, message: 'full' } },
  });
});

/** A bench that a test interrupts. */
function startBench(...args: string[]) {
  const child = spawn(process.execPath, [CLI, 'bench', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, output }));
  /** Resolves when it has been noticed. */
  const interrupt = async () => {
    child.kill('SIGINT');
    const [text] = (await once(child.stderr, 'data')) as [Buffer];
    expect(text.toString()).toContain('Ctrl-C again');
  };
  return { interrupt, interruptAgain: () => child.kill('SIGINT'), ended };
}

test('Ctrl-C ends a load early, which prints what there is, also what was never sent', async () => {
  const server = await fakeModel(() => {});
  const load = ['--rate', '1000000', '--connections', '1', ...ENOUGH, '--json'];
  const bench = startBench('--model', 'm', '--url', server.url, ...load);
  await server.next('infer', 256);
  await bench.interrupt();
  for (const request of server.received.filter(({ method }) => method === 'infer')) {
    answer(request, RESULT);
  }
  const { code, output } = await bench.ended;
  const { succeeded, unsent, unanswered } = parse({ output });
  expect(code).toBe(0);
  expect(succeeded).toBe(256);
  expect(unsent).toBeGreaterThan(0);
  expect(unanswered).toBe(0);
});

test('another Ctrl-C gives up the answers that are missing', async () => {
  const server = await fakeModel(() => {});
  const bench = startBench(
    '--model',
    'm',
    '--url',
    server.url,
    '--concurrency',
    '2',
    ...ENOUGH,
    '--json',
  );
  await server.next('infer', 2);
  await bench.interrupt();
  bench.interruptAgain();
  const { code, output } = await bench.ended;
  expect(parse({ output })).toMatchObject({ requests: 0, unanswered: 2 });
  expect(code).toBe(1);
});

test('a daemon that is not there ends it with 1', async () => {
  expect(await runCli(['bench', '--model', 'm', '--url', 'ws://127.0.0.1:1'])).toMatchObject({
    code: 1,
    output: expect.stringContaining('cannot connect') as string,
  });
});
