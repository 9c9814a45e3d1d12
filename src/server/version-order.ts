import { kept } from './outlet.js';
import type { Frame } from '../registry/registry.js';

/**
 * Keeps the answers of one connection from going back to an older version. Requests that overlap
 * with a swap run on both versions, and the new one may be faster; its answers wait until the last
 * answer of the old one has gone. Requests that name a version are not ordered.
 */
export class VersionOrder {
  /** By what was asked for (a model, or a label of it), oldest version first; the last one stays. */
  readonly #groups = new Map<string, Group[]>();

  /** `send` gets every answer in its turn; a lent one is gone when it returns. */
  constructor(private readonly send: (frame: Frame, isLent?: boolean) => void) {}

  /** Registers a request for `target` that `version` will answer. */
  begin(target: string, version: object): Turn {
    const groups = this.#groupsOf(target);
    let newest = groups.at(-1);
    if (newest?.version !== version) {
      if (groups.length === 1 && newest?.inFlight === 0) groups.pop();
      newest = { siblings: groups, version, inFlight: 0, held: [] };
      groups.push(newest);
    }
    newest.inFlight++;
    return newest;
  }

  /**
   * Ends a request: sends its answer now, or once every older version has answered. A lent frame is
   * copied if it must wait.
   */
  end(turn: Turn, frame: Frame, isLent = false): void {
    const group = turn as Group;
    const groups = group.siblings;
    group.inFlight--;
    if (groups[0] === group) this.send(frame, isLent);
    else group.held.push(isLent ? kept(frame) : frame);
    let [oldest] = groups;
    while (groups.length > 1 && oldest?.inFlight === 0) {
      groups.shift();
      [oldest] = groups;
      for (const held of oldest?.held.splice(0) ?? []) this.send(held);
    }
  }

  #groupsOf(target: string): Group[] {
    let groups = this.#groups.get(target);
    if (!groups) {
      this.#forgetIdle();
      groups = [];
      this.#groups.set(target, groups);
    }
    return groups;
  }

  #forgetIdle(): void {
    if (this.#groups.size < MAX_IDLE_TARGETS) return;
    for (const [target, groups] of this.#groups) {
      if (groups.every(({ inFlight }) => inFlight === 0)) this.#groups.delete(target);
    }
  }
}

/** Targets are remembered from request to request; beyond this many, only those in flight. */
const MAX_IDLE_TARGETS = 64;

/** One request's place in the order. */
export interface Turn {
  /** All groups of its target, oldest version first. */
  readonly siblings: readonly Turn[];
}

/** Requests in flight that the same version answers. */
interface Group extends Turn {
  readonly siblings: Group[];
  readonly version: object;
  inFlight: number;
  /** Answers that wait for an older group. */
  readonly held: Frame[];
}
