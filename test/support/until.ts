import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;
const LIMIT_MS = 20_000;

/** Asks again and again until the answer is neither undefined nor false; throws after 20 s by default. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = LIMIT_MS,
): Promise<T> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await sleep(PAUSE_MS);
  }
}

/** Rejects where the promise takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const late = sleep(ms, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timeout.abort();
    late.catch(() => {});
  }
}
