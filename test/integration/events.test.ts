import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { EventReader } from '../../src/cli/event-reader.js';
import type { DaemonEvent } from '../../src/rpc/events.js';
import { startDaemon, testRepository, type TestDaemon } from '../support/daemon.js';
import { RawRpc } from '../support/raw-rpc.js';
import { until } from '../support/until.js';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

async function serveShift(): Promise<TestDaemon> {
  const repository = await testRepository();
  await repository.publish('shift', 1);
  const config = await repository.daemonConfig('swap: { rollbackWindow: 0s }');
  return startDaemon(repository, ['--workers', '1', ...config]);
}

/** What `GET /events` tells from now on, shortened; grows. */
async function listen({ process }: TestDaemon): Promise<{ heard: string[]; ended: Promise<void> }> {
  const response = await fetch(`${process.adminUrl}/events`);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const heard: string[] = [];
  const reader = new EventReader((event) => heard.push(shortened(event)));
  const read = async () => {
    const decoder = new TextDecoder();
    const body = response.body as unknown as AsyncIterable<Uint8Array>;
    for await (const piece of body) reader.read(decoder.decode(piece));
  };
  const ended = read();
  // A test that does not wait for the end may have its daemon killed in the middle of it.
  ended.catch(() => undefined);
  return { heard, ended };
}

function shortened(event: DaemonEvent): string {
  const { generation, type, state } = event;
  const subject = event.type === 'model' ? `${event.model}/${event.version}` : type;
  const label = event.type === 'model' && event.label ? ` ${event.label}` : '';
  return `${generation} ${subject} ${state}${label}`;
}

test('a listener hears of swaps, versions, labels and workers, and of the end', async () => {
  const daemon = await serveShift();
  const { heard, ended } = await listen(daemon);
  await daemon.repository.publish('shift', 2);
  await daemon.reload();
  await daemon.admin.put('/models/shift/labels/canary', { version: 1 });
  await daemon.repository.publish('shift', 3, 'garbage', 1);
  await daemon.reload();
  await until('the failure is heard', () => heard.some((each) => each.includes('failed')));
  expect(heard).toEqual([
    ...['2 swap prepared', '2 swap committed', '2 shift/2 loaded', '2 shift/2 active'],
    ...['2 shift/1 retired', '3 swap prepared', '3 swap committed', '3 shift/1 loaded'],
    ...['3 shift/1 labelled canary', '4 shift/3 failed'],
  ]);
  const [worker] = (await daemon.status()).workers;
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await until('the next worker is heard', () => heard.includes('3 worker ready'));
  expect(heard.slice(-3)).toEqual(['3 worker exited', '3 worker started', '3 worker ready']);
  await daemon.process.stop();
  await ended;
  expect(heard.at(-1)).toBe('3 worker drained');
});

test('a listener hears of a worker that is replaced', async () => {
  const daemon = await serveShift();
  const { heard } = await listen(daemon);
  await daemon.admin.post('/drain', { worker: 0 });
  expect(heard).toEqual(['1 worker started', '1 worker ready', '1 worker drained']);
});

/** The first line of a prepared swap and the next line of a swap, once they are there. */
function wholeSwap(lines: readonly string[]): readonly string[] {
  const swaps = lines.filter((line) => /\bswap\b/.test(line));
  const first = swaps.findIndex((line) => line.includes('prepared'));
  return first < 0 ? [] : swaps.slice(first, first + 2);
}

test('ctl events prints them, as text and as JSON', async () => {
  const daemon = await serveShift();
  const follow = async (...flags: string[]) => {
    const args = [CLI, 'ctl', 'events', '--admin', daemon.process.adminUrl, ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill());
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    await once(child, 'spawn');
    return lines;
  };
  const [text, json] = [await follow(), await follow('--json')];
  let label = 0;
  // A listener may begin in the middle of a swap: each waits for a whole one.
  await until('both have printed a whole swap', async () => {
    await daemon.admin.put(`/models/shift/labels/l${++label}`, { version: 1 });
    return [text, json].every((lines) => wholeSwap(lines).length === 2);
  });
  const [prepared, committed] = wholeSwap(text);
  expect(prepared).toMatch(/^swap prepared, generation \d+$/);
  expect(committed).toMatch(/^swap committed, generation \d+$/);
  expect(wholeSwap(json).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { type: 'swap', state: 'prepared' },
    { type: 'swap', state: 'committed' },
  ]);
});

test('a client gets the events that it has subscribed to, and no others', async () => {
  const daemon = await serveShift();
  const [rpc, other] = [
    await RawRpc.connect(daemon.process.rpcUrl),
    await RawRpc.connect(daemon.process.rpcUrl),
  ];
  expect(await rpc.call('subscribe', { events: ['swap', 'model'] })).toEqual({
    ...{ error: null, result: {} },
  });
  await daemon.repository.publish('shift', 2);
  await daemon.reload();
  await until('the last event is there', () => rpc.events.length === 5);
  expect(rpc.events).toEqual([
    { type: 'swap', state: 'prepared', generation: 2 },
    { type: 'swap', state: 'committed', generation: 2 },
    ...[
      ['loaded', 2],
      ['active', 2],
      ['retired', 1],
    ].map(([state, version]) => ({
      ...{ type: 'model', model: 'shift', state, version, generation: 2 },
    })),
  ]);
  await rpc.call('unsubscribe', { events: ['model'] });
  await daemon.repository.publish('shift', 3);
  await daemon.reload();
  await until('the swap is there', () => rpc.events.length === 7);
  expect(rpc.events.slice(5).map(({ type }) => type)).toEqual(['swap', 'swap']);
  await other.call('ping');
  expect(other.events).toEqual([]);
  const { error } = await rpc.call('subscribe', { events: ['swaps'] });
  expect(error).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: "'events': expected an array of at least one of swap, model, worker, got ['swaps']",
  });
});
