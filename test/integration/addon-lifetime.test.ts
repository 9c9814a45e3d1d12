import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeMlp } from '../fixtures/mlp.js';
import { writeFixtures } from '../fixtures/repository.js';

// Every case is a process of its own (test/support/addon), because how it ends is what counts.

const SCRIPTS = join(import.meta.dirname, '..', 'support', 'addon');
const fixtures = mkdtempSync(join(tmpdir(), 'warmswap-addon-'));

beforeAll(() => {
  writeFixtures(fixtures);
  writeMlp(join(fixtures, 'big', '1'), { width: 1024, layers: 8, seed: 1 });
  writeMlp(join(fixtures, 'mid', '1'), { width: 512, layers: 4, seed: 1 });
});
afterAll(() => {
  rmSync(fixtures, { recursive: true, force: true });
});

describe('process.exit', () => {
  it('ends a process with a run in flight', async () => {
    expect(await run('exit-during-run')).toEqual(ended('running'));
  });

  it('ends a process from the answer of one of many runs', async () => {
    expect(await run('exit-in-answer')).toEqual(ended('answered'));
  });

  it('ends a process that is loading a model, mapped or not', async () => {
    expect(await run('exit-during-load')).toEqual(ended('mapped'));
    expect(await run('exit-right-after-load-began')).toEqual(ended('loading'));
  });

  it('ends a process whose worker threads have runs in flight', async () => {
    expect(await run('exit-while-workers-run')).toEqual(ended('running'));
  });

  it('in a worker thread with a run in flight ends that thread alone', async () => {
    expect(await run('exit-of-worker')).toEqual(ended('worker exited with 7', 'answered'));
  });
});

describe('a load', () => {
  it('can be cancelled until it ends, and by closing', async () => {
    expect(await run('cancel-load')).toEqual(
      ended(
        'before it began: CANCELLED',
        'while it ran: CANCELLED',
        'while it waited: CANCELLED',
        'after it ended: true',
        'closed',
      ),
    );
  });
});

describe('loading and unloading a hundred times', () => {
  it('leaves memory, mappings and descriptors as they were after the fifth time', async () => {
    expect(await run('pack')).toEqual(ended('prepacked'));
    const { lines, ...end } = await run('hundred-loads', '--expose-gc');
    expect(end).toMatchObject({ code: 0, stderr: '' });
    const [few, many] = lines.map((line) => JSON.parse(line) as Holdings);
    expect(many?.rssKibibytes).toBeLessThanOrEqual(1.02 * (few?.rssKibibytes ?? 0));
    expect(many?.descriptors).toBe(few?.descriptors);
    // V8 maps its heap page by page: a few more or less are its own.
    expect(many?.mappings).toBeLessThanOrEqual(1.02 * (few?.mappings ?? 0) + 8);
  });
});

describe('a process without work', () => {
  it('ends by itself after an unload', async () => {
    expect(await run('end-after-unload')).toEqual(ended('answered', 'unloaded'));
  });

  it('ends by itself with a model loaded', async () => {
    expect(await run('end-without-unload')).toEqual(ended('answered'));
  });

  it('ends by itself after closing in the middle of a run, which never settles', async () => {
    expect(await run('close-during-run')).toEqual(ended('FAILED_PRECONDITION'));
  });
});

describe('unloading', () => {
  it('ends a run in flight as UNAVAILABLE, and leaves a model that refuses', async () => {
    expect(await run('unload-during-run')).toEqual(ended('UNAVAILABLE', 'UNAVAILABLE'));
  });

  it('happens by garbage collection where nobody asked for it', async () => {
    const lines = ['mapped', 'unmapped', 'answered'];
    expect(await run('collect-model', '--expose-gc')).toEqual(ended(...lines));
  });

  it('by garbage collection ends a run in flight as UNAVAILABLE', async () => {
    expect(await run('collect-running-model', '--expose-gc')).toEqual(ended('2 UNAVAILABLE'));
  });
});

describe('an uncaught exception', () => {
  it('ends a process with a run in flight as any other: exit code 1 and the stack', async () => {
    const { stderr, ...rest } = await run('uncaught-during-run');
    expect(stderr).toContain('Error: nobody catches this');
    expect(rest).toEqual({ code: 1, signal: null, lines: ['running'] });
  });
});

describe('what goes wrong', () => {
  it('with the library is FAILED_PRECONDITION, and the right one can still be opened', async () => {
    expect(await run('wrong-library')).toEqual(ended('FAILED_PRECONDITION', 'answered'));
  });

  it('with the number of threads is refused, and no model is left without any', async () => {
    const runner = 'runnerThreads must be 1 to 1024';
    const intraOp = 'intraOpThreads must be 1 to 1024';
    expect(await run('wrong-threads')).toEqual(ended(runner, runner, intraOp));
  });

  it('in the handler of events is an uncaught exception, and later events are delivered', async () => {
    const lines = ['thrown for 1', 'thrown for 2'];
    expect(await run('throw-in-event-handler')).toEqual(ended(...lines));
  });
});

describe('worker threads', () => {
  it('infer at the same time as the main thread, each with its own runtime', async () => {
    expect(await run('workers-infer')).toEqual(ended('200 right', '200 right', '200 right'));
  });

  it('can load the addon one after the other', async () => {
    expect(await run('workers-in-turn')).toEqual(ended(...Array<string>(4).fill('answered')));
  });

  it('can be terminated with a run in flight while the main thread infers', async () => {
    expect(await run('terminate-worker')).toEqual(ended('terminated', 'answered'));
  });

  it('can be terminated in a storm of short runs', async () => {
    const lines = Array<string>(8).fill('terminated');
    expect(await run('terminate-busy-worker')).toEqual(ended(...lines));
  });
});

interface Holdings {
  rssKibibytes: number;
  mappings: number;
  descriptors: number;
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  lines: string[];
  stderr: string;
}

/** A process that said these lines and ended well. */
function ended(...lines: string[]): End {
  return { code: 0, signal: null, lines, stderr: '' };
}

async function run(script: string, ...nodeOptions: string[]): Promise<End> {
  const child = spawn(process.execPath, [...nodeOptions, join(SCRIPTS, `${script}.mjs`)], {
    env: { ...process.env, WARMSWAP_FIXTURES: fixtures },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  const exit = new Promise<Pick<End, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { ...(await exit), lines: stdout.split('\n').filter(Boolean), stderr };
}
