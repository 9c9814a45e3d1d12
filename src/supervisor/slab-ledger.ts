import type { Slab } from '../registry/weight-source.js';

/** Of one worker process: it is another one after a restart. */
export type Holder = number;

/** What the owner of a GPU's shared weights has to do next, and whom to answer what. */
export type SlabAction =
  | { type: 'load'; modelPath: string }
  | { type: 'free'; modelPath: string; slab: Slab }
  | { type: 'grant'; holder: Holder; request: number; slab: Slab }
  | { type: 'refuse'; holder: Holder; request: number; reason: string };

interface Lease {
  holder: Holder;
  request: number;
}

interface Entry {
  /** None: the owner is still loading it. */
  slab?: Slab;
  leases: Lease[];
}

/** More artifacts than any GPU has room for. */
const MOST_SLABS = 256;

/**
 * Who uses which weights in the memory of one GPU. A slab is made for the first that asks for it, and
 * freed when the last has given it back or has ended: not before, as memory that is open elsewhere must
 * not be freed. Pure: it says what is to be done.
 */
export class SlabLedger {
  readonly #entries = new Map<string, Entry>();

  /** Those who hold weights or wait for them. */
  get holders(): readonly Holder[] {
    const leases = [...this.#entries.values()].flatMap((entry) => entry.leases);
    return [...new Set(leases.map(({ holder }) => holder))];
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** The models whose weights are not there yet. */
  get awaited(): readonly string[] {
    return [...this.#entries].filter(([, { slab }]) => !slab).map(([modelPath]) => modelPath);
  }

  /** How many models' weights are there, and of how many bytes. */
  get size(): { models: number; bytes: number } {
    const slabs = [...this.#entries.values()].flatMap(({ slab }) => slab ?? []);
    return { models: slabs.length, bytes: slabs.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  borrow(modelPath: string, lease: Lease): SlabAction[] {
    const known = this.#entries.get(modelPath);
    if (known) {
      known.leases.push(lease);
      return known.slab ? [{ type: 'grant', ...lease, slab: known.slab }] : [];
    }
    if (this.#entries.size >= MOST_SLABS) {
      return [{ type: 'refuse', ...lease, reason: `${MOST_SLABS} models share weights already` }];
    }
    this.#entries.set(modelPath, { leases: [lease] });
    return [{ type: 'load', modelPath }];
  }

  onLoaded(modelPath: string, slab: Slab): SlabAction[] {
    const entry = this.#entries.get(modelPath);
    if (!entry) return [];
    entry.slab = slab;
    const grants = entry.leases.map((lease) => ({ type: 'grant' as const, ...lease, slab }));
    return [...grants, ...this.#freeUnused()];
  }

  onFailed(modelPath: string, reason: string): SlabAction[] {
    const leases = this.#entries.get(modelPath)?.leases ?? [];
    this.#entries.delete(modelPath);
    return leases.map((lease) => ({ type: 'refuse', ...lease, reason }));
  }

  giveBack(holder: Holder, request: number): SlabAction[] {
    return this.#drop((lease) => lease.holder === holder && lease.request === request);
  }

  /** Its process has ended, and with it what it had open. */
  onHolderGone(holder: Holder): SlabAction[] {
    return this.#drop((lease) => lease.holder === holder);
  }

  /** All that it held is undefined now: those who use it have to go, those who wait get nothing. */
  onOwnerGone(reason: string): { actions: SlabAction[]; affected: Holder[] } {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    const leases = (isReady: boolean) =>
      entries.filter(({ slab }) => (slab !== undefined) === isReady).flatMap((each) => each.leases);
    return {
      actions: leases(false).map((lease) => ({ type: 'refuse', ...lease, reason })),
      affected: [...new Set(leases(true).map(({ holder }) => holder))],
    };
  }

  #drop(isDropped: (lease: Lease) => boolean): SlabAction[] {
    for (const entry of this.#entries.values()) {
      entry.leases = entry.leases.filter((lease) => !isDropped(lease));
    }
    return this.#freeUnused();
  }

  /** What is still being loaded is freed once it is there. */
  #freeUnused(): SlabAction[] {
    const actions: SlabAction[] = [];
    for (const [modelPath, { slab, leases }] of this.#entries) {
      if (!slab || leases.length > 0) continue;
      this.#entries.delete(modelPath);
      actions.push({ type: 'free', modelPath, slab });
    }
    return actions;
  }
}
