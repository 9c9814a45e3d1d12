import type { Holder, SlabAction } from './slab-ledger.js';

export type Grant = Extract<SlabAction, { type: 'grant' }>;

/**
 * Who may load with shared weights now: one of the workers on a GPU at a time, as each tells by what is free
 * of its memory whether it has made no copy of them. Pure: what comes back is whose turn it has become.
 */
export class LoadTurns {
  #current: Grant | undefined;
  #waiting: Grant[] = [];

  add(grant: Grant): Grant | undefined {
    this.#waiting.push(grant);
    return this.#next();
  }

  /** It has loaded, with or without them, or wants to no more. */
  settle(holder: Holder, request: number): Grant | undefined {
    return this.#end((grant) => grant.holder === holder && grant.request === request);
  }

  onHolderGone(gone: Holder): Grant | undefined {
    return this.#end(({ holder }) => holder === gone);
  }

  /** What was to be granted is there no more. */
  clear(): void {
    this.#current = undefined;
    this.#waiting = [];
  }

  #end(isOver: (grant: Grant) => boolean): Grant | undefined {
    this.#waiting = this.#waiting.filter((grant) => !isOver(grant));
    if (this.#current && isOver(this.#current)) this.#current = undefined;
    return this.#next();
  }

  #next(): Grant | undefined {
    if (this.#current) return undefined;
    this.#current = this.#waiting.shift();
    return this.#current;
  }
}
