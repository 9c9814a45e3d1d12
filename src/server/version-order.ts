/**
 * Keeps the answers of one connection from going back to an older version. Requests that overlap
 * with a swap run on both versions, and the new one may be faster; its answers wait until the last
 * answer of the old one has gone. Requests that name a version are not ordered.
 */
export class VersionOrder {
  /** What is in flight, by what was asked for (a model, or a label of it), oldest version first. */
  readonly #groups = new Map<string, Group[]>();

  /** Registers a request for `target` that `version` will answer. */
  begin(target: string, version: object): Turn {
    const groups = this.#groups.get(target) ?? [];
    if (groups.length === 0) this.#groups.set(target, groups);
    let newest = groups.at(-1);
    if (newest?.version !== version) {
      newest = { version, inFlight: 0, held: [] };
      groups.push(newest);
    }
    newest.inFlight++;
    return { target, group: newest };
  }

  /** Ends a request: calls `send` now, or once every older version has answered. */
  end({ target, group }: Turn, send: () => void): void {
    const groups = this.#groups.get(target) ?? [];
    group.inFlight--;
    if (groups[0] === group) send();
    else group.held.push(send);
    let [oldest] = groups;
    while (oldest?.inFlight === 0) {
      groups.shift();
      [oldest] = groups;
      for (const held of oldest?.held.splice(0) ?? []) held();
    }
    if (groups.length === 0) this.#groups.delete(target);
  }
}

/** One request's place in the order. */
export interface Turn {
  readonly target: string;
  readonly group: Group;
}

/** Requests in flight that the same version answers. */
interface Group {
  readonly version: object;
  inFlight: number;
  /** Answers that wait for an older group. */
  readonly held: (() => void)[];
}
