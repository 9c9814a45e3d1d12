import { WarmswapError } from '../rpc/errors.js';

/** How many requests a client may send: so many a second for long, and so many at once. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** The requests that one client may still send. Times are milliseconds of one clock. */
export class TokenBucket {
  #tokens: number;
  #countedAt: number;

  constructor(
    private readonly rate: Rate,
    now: number,
  ) {
    this.#tokens = rate.burst;
    this.#countedAt = now;
  }

  /** Takes a token. Gives 0, or for how many milliseconds there is none. */
  take(now: number): number {
    this.#refill(now);
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / this.rate.perSecond) * 1000);
    this.#tokens--;
    return 0;
  }

  /** Whether there is a token. */
  has(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  /** As good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens === this.rate.burst;
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#countedAt);
    this.#countedAt = now;
    const { perSecond, burst } = this.rate;
    this.#tokens = Math.min(burst, this.#tokens + (elapsed / 1000) * perSecond);
  }
}

/** A burst is what a second brings, where it is left out. */
export function rateOf({
  perSecond,
  burst,
}: {
  perSecond: number;
  burst?: number | undefined;
}): Rate {
  return { perSecond, burst: burst ?? Math.max(1, Math.ceil(perSecond)) };
}

const MAX_BUCKETS = 65_536;
/** How often it is worth it to look for buckets that are full again. */
const SWEEP_MS = 1_000;

/**
 * A bucket for each client, by whatever names it. There are at most `maxBuckets`: when that many
 * clients have sent requests lately, all the others share one more.
 */
export class RateLimit {
  readonly #buckets = new Map<string, { bucket: TokenBucket; holders: number }>();
  readonly #others: TokenBucket;
  #sweptAt = -Infinity;

  constructor(
    private readonly rate: Rate,
    private readonly onRefused: () => void,
    private readonly now: () => number = () => performance.now(),
    private readonly maxBuckets = MAX_BUCKETS,
  ) {
    this.#others = new TokenBucket(rate, now());
  }

  /** How many clients it knows. */
  get size(): number {
    return this.#buckets.size;
  }

  /** For one request. Throws RESOURCE_EXHAUSTED with `retryAfterMs`. */
  admit(client: string): void {
    this.#admit(this.#entry(client)?.bucket ?? this.#others);
  }

  /** For a connection, which calls `release` of it once, in the end. */
  hold(client: string): HeldBucket {
    const entry = this.#entry(client);
    if (entry) entry.holders++;
    const bucket = entry?.bucket ?? this.#others;
    return {
      hasRoom: () => bucket.has(this.now()),
      admit: () => this.#admit(bucket),
      release: () => {
        if (entry) entry.holders--;
      },
    };
  }

  #admit(bucket: TokenBucket): void {
    const retryAfterMs = bucket.take(this.now());
    if (retryAfterMs === 0) return;
    this.onRefused();
    const { perSecond, burst } = this.rate;
    throw new WarmswapError(
      'RESOURCE_EXHAUSTED',
      `more than ${perSecond} requests a second of this client, ${burst} at once`,
      { details: { retryAfterMs } },
    );
  }

  #entry(client: string) {
    const known = this.#buckets.get(client);
    if (known) return known;
    if (this.#buckets.size >= this.maxBuckets) this.#sweep();
    if (this.#buckets.size >= this.maxBuckets) return undefined;
    const entry = { bucket: new TokenBucket(this.rate, this.now()), holders: 0 };
    this.#buckets.set(client, entry);
    return entry;
  }

  /** Forgets who may send a whole burst again, as anybody new may. */
  #sweep(): void {
    const now = this.now();
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [client, { bucket, holders }] of this.#buckets) {
      if (holders === 0 && bucket.isFull(now)) this.#buckets.delete(client);
    }
  }
}

/** The bucket of one connection. */
export interface HeldBucket {
  /** Whether a request would be admitted. */
  hasRoom(): boolean;
  /** For one request. Throws RESOURCE_EXHAUSTED with `retryAfterMs`. */
  admit(): void;
  release(): void;
}
