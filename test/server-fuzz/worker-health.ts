import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProcessMemory } from '../../src/supervisor/process-memory.js';
import { until } from '../support/until.js';

/** A worker after its garbage was collected. */
export interface WorkerHealth {
  rssBytes: number;
  mappings: number;
  descriptors: number;
  /** Of the event loop, since it was asked before. */
  longestStallMs: number;
}

const REPORTER = fileURLToPath(new URL('worker-report.mjs', import.meta.url));

/** What a daemon's environment needs for `workerHealth`; its processes write to the folder. */
export function reportingTo(folder: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import ${REPORTER}`, FUZZ_REPORTS: folder };
}

export async function workerHealth(pid: number, folder: string): Promise<WorkerHealth> {
  const file = join(folder, `${pid}.json`);
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const text = await until('the worker reports', () =>
    readFile(file, 'utf8').catch(() => undefined),
  );
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  return {
    ...(JSON.parse(text) as Pick<WorkerHealth, 'longestStallMs'>),
    rssBytes: (await readProcessMemory(pid)).rssBytes,
    mappings: maps.split('\n').length - 1,
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
  };
}

/**
 * How much more there may be at the end: the heap and the allocators keep freed memory, in more mappings, for as long
 * as it seems of use, which differs from run to run but not with a run's length. A leak of 10 bytes a frame
 * exceeds it in 10 million.
 */
const MOST_GROWTH = { rssShare: 0.05, rssBytes: 16 * 2 ** 20, mappings: 64, descriptors: 2 };
/** Half of what a supervisor waits before it takes a worker for hung. */
const MOST_STALL_MS = 5_000;

/** What is not as it should be. */
export function healthProblems(warm: WorkerHealth, end: WorkerHealth): string[] {
  const mostRss = (1 + MOST_GROWTH.rssShare) * warm.rssBytes + MOST_GROWTH.rssBytes;
  const problems = [
    end.rssBytes > mostRss && `RSS grew from ${warm.rssBytes} to ${end.rssBytes} bytes`,
    end.mappings > warm.mappings + MOST_GROWTH.mappings &&
      `mappings grew from ${warm.mappings} to ${end.mappings}`,
    end.descriptors > warm.descriptors + MOST_GROWTH.descriptors &&
      `descriptors grew from ${warm.descriptors} to ${end.descriptors}`,
    end.longestStallMs > MOST_STALL_MS && `the event loop stood still for ${end.longestStallMs} ms`,
  ];
  return problems.filter((problem) => problem !== false);
}
