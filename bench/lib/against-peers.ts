import { measured, notRun, type Budget, type Check } from './check.js';
import { interleave } from './interleave.js';
import { owning } from './owning.js';
import type { Settings } from './row.js';
import type { RunningServer, ServerKind, StartOptions } from './server.js';
import { startServer } from './start-server.js';
import { ratios } from './statistics.js';

/** Rows that measure the daemon and its peers in one way. */

/** What was measured of a peer and, in turn, of the daemon; or why it was not. */
export type Comparison<T> =
  { peer: string; daemon: readonly T[]; theirs: readonly T[] } | { peer: string; problem: string };

export interface Contest {
  daemon: ServerKind;
  peers: readonly ServerKind[];
  options: StartOptions;
}

/**
 * Starts daemon and peers and measures them in turn. Heavy ones come last, beside a daemon of their
 * own, so that what they do all the time disturbs no other.
 */
export async function againstPeers<T>(
  { daemon, peers, options }: Contest,
  settings: Settings,
  measure: (server: RunningServer) => Promise<T>,
): Promise<Comparison<T>[]> {
  const { able, unable } = sortOut(peers, settings);
  const comparisons: Comparison<T>[] = [];
  for (const together of [
    able.filter((peer) => !peer.isHeavy),
    able.filter((peer) => peer.isHeavy),
  ]) {
    if (together.length === 0) continue;
    const results = await owning(async (own) => {
      const measures: Record<string, () => Promise<T>> = {};
      for (const kind of [daemon, ...together]) {
        const server = await own(startServer(kind, options));
        measures[kind.name] = () => measure(server);
      }
      return interleave(settings.peers.repeats, measures);
    });
    comparisons.push(...compareAll(results, daemon, together));
  }
  return [...comparisons, ...unable];
}

/**
 * The same where each server runs alone, from before `measure` to after it: for what is not to be
 * shared, such as memory, or what is about the start itself.
 */
export async function oneByOne<T>(
  { daemon, peers }: Pick<Contest, 'daemon' | 'peers'>,
  settings: Settings,
  repeats: number,
  measure: (kind: ServerKind) => Promise<T>,
): Promise<Comparison<T>[]> {
  const { able, unable } = sortOut(peers, settings);
  const measures = Object.fromEntries(
    [daemon, ...able].map((kind) => [kind.name, () => measure(kind)] as const),
  );
  const results = able.length === 0 ? {} : await interleave(repeats, measures);
  return [...compareAll(results, daemon, able), ...unable];
}

/** What is compared of each measurement. */
export interface Figure<T> {
  /** In front of `÷ PEER`. */
  name: string;
  budget: Budget;
  /** With its unit; recorded after `daemon` and `peer`. */
  unit: string;
  of: (result: T) => number;
  /** What else is recorded, by name and unit. */
  also?: Readonly<Record<string, (result: T) => number>>;
  notes?: (daemon: readonly T[], theirs: readonly T[]) => string[];
}

/** One line for each peer: daemon ÷ peer. */
export function ratioChecks<T>(
  comparisons: readonly Comparison<T>[],
  { name, budget, unit, of, also, notes }: Figure<T>,
): Check[] {
  return comparisons.map((comparison) => {
    const title = `${name} ÷ ${comparison.peer}`;
    if ('problem' in comparison) return notRun(title, budget, comparison.problem);
    const { daemon, theirs } = comparison;
    const values = Object.fromEntries(
      Object.entries({ [unit]: of, ...also }).flatMap(([what, value]) => [
        [`daemon${what}`, daemon.map(value)],
        [`peer${what}`, theirs.map(value)],
      ]),
    );
    return measured(title, budget, ratios(daemon.map(of), theirs.map(of)), values, {
      notes: notes?.(daemon, theirs) ?? [],
    });
  });
}

function sortOut(peers: readonly ServerKind[], { quick }: Settings) {
  const able: ServerKind[] = [];
  const unable: { peer: string; problem: string }[] = [];
  for (const kind of peers) {
    const problem = quick && kind.isHeavy ? LEFT_OUT : kind.problem();
    if (problem === undefined) able.push(kind);
    else unable.push({ peer: kind.name, problem });
  }
  return { able, unable };
}

const LEFT_OUT = 'starts too slowly for a quick run';

function compareAll<T>(
  results: Readonly<Record<string, readonly T[]>>,
  daemon: ServerKind,
  peers: readonly ServerKind[],
): Comparison<T>[] {
  const of = ({ name }: ServerKind) => results[name] ?? [];
  return peers.map((peer) => ({ peer: peer.name, daemon: of(daemon), theirs: of(peer) }));
}
