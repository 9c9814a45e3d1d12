import type { BenchDaemon } from './daemon.js';
import type { BenchModel } from './models.js';

/** Publishes a model's versions one after another, and removes those that no worker needs any more. */
export class SwapSequence {
  #newest = 1;

  /** The daemon serves `sources[0]` as version 1; the versions after it take turns. */
  constructor(
    private readonly daemon: BenchDaemon,
    private readonly name: string,
    private readonly sources: readonly [BenchModel, BenchModel],
  ) {}

  /** Publishes the next version; to be followed by `swap`. */
  publishNext(): void {
    this.#newest++;
    const source = this.sources[this.#newest % 2 === 1 ? 0 : 1];
    this.daemon.repository.publish(this.name, this.#newest, source.folder);
  }

  /** Resolves when every worker serves the next version. */
  async swap(): Promise<void> {
    await this.daemon.reload();
  }

  /** Withdraws all versions but the newest, which alone is served. */
  forgetOld(): void {
    this.daemon.repository.withdraw(this.name, this.#newest - 1);
  }

  async swapTimes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.publishNext();
      await this.swap();
      this.forgetOld();
    }
  }
}
