import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../../src/cli/admin-client.js';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';

const PAUSE_MS = 50;

/** Activates versions 1 and 2 of the fixture `shift` in turn, and knows what must be served. */
export class Swaps {
  committed = 0;
  aborted = 0;
  /** Those that the supervisor did not live to answer. */
  unanswered = 0;
  /** What the last answer said; what may be served besides it, if one is missing. */
  #known = { generation: 1, version: 2 };
  #uncertain = false;
  #running = true;
  #idle: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};
  #underWay: Promise<void> = Promise.resolve();
  readonly #done: Promise<void>;

  constructor(private readonly admin: AdminClient) {
    this.#done = this.#drive();
  }

  /** Resolves when no swap is under way; none begins until `resume`. */
  async pause(): Promise<void> {
    this.#idle = new Promise((resolve) => (this.#resume = resolve));
    await this.#underWay;
  }

  resume(): void {
    this.#resume();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.resume();
    await this.#done;
  }

  /** While paused: why this must not be what is served; nothing if it may. Takes it as what is known. */
  refute(generation: number, version: number): string | undefined {
    const { generation: last, version: lastVersion } = this.#known;
    const isLast = generation === last && version === lastVersion;
    const isNext = this.#uncertain && generation === last + 1 && version === other(lastVersion);
    if (isLast || isNext) {
      this.#known = { generation, version };
      this.#uncertain = false;
      return undefined;
    }
    const next = this.#uncertain ? ' or the next one' : '';
    return `generation ${generation} with version ${version}, but ${last} with ${lastVersion}${next} was committed`;
  }

  async #drive(): Promise<void> {
    while (this.#running) {
      await this.#idle;
      this.#underWay = this.#swap();
      await this.#underWay;
      await sleep(PAUSE_MS);
    }
  }

  async #swap(): Promise<void> {
    // What is served is not known until the next recovery.
    if (this.#uncertain) return;
    const version = other(this.#known.version);
    try {
      const answer = await this.admin.post('/models/shift/activate', { version });
      this.#onAnswer(answer as ReloadResult, version);
    } catch {
      this.unanswered++;
      this.#uncertain = true;
    }
  }

  #onAnswer({ generation, changes }: ReloadResult, version: number): void {
    if (generation > this.#known.generation) {
      this.committed++;
      this.#known = { generation, version };
    } else if (changes.some(({ result }) => result !== 'committed')) {
      this.aborted++;
    }
  }
}

function other(version: number): number {
  return version === 1 ? 2 : 1;
}
