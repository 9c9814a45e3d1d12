import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { publicationFolders, publicationsDigest } from '../repository/publications.js';
import type { RepositorySnapshot } from '../repository/scan.js';
import type { Logger } from '../telemetry/log.js';
import { afterLook, type WatchState } from './watch-policy.js';

export interface RepositoryWatchOptions {
  directory(): string;
  scan(): Promise<RepositorySnapshot>;
  /** Digest of the publications that the last reload followed. */
  served(): string | undefined;
  reload(): Promise<unknown>;
  log: Logger;
}

/** From a first event to a look: several of them are one publication. */
const DEBOUNCE_MS = 200;
/** Between two looks that have to see the same. */
const SETTLE_MS = 1_000;
/** Where no event tells, as on network file systems. */
const IDLE_MS = 10_000;
const MOST_FOLDERS = 4_096;

/**
 * Reloads when a publication is complete. Events only tell when to look; what counts is what a look
 * sees. Each folder in which a publication shows is watched by itself: the recursive watching of
 * Node.js 20 on Linux walks the whole tree at once, keeps a watcher for every file, and misses what
 * is in a folder before it has found that. Its timer and its watchers end with `close`.
 */
export class RepositoryWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  #state: WatchState = {};
  #timer: NodeJS.Timeout | undefined;
  #looksAt = Infinity;
  #isLooking = false;
  /** An event came while looking. */
  #hasMissed = false;
  #problem: string | undefined;
  #isClosed = false;

  constructor(private readonly options: RepositoryWatchOptions) {}

  start(): void {
    this.#lookWithin(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** A look that is due earlier stays. */
  #lookWithin(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.#isClosed || at >= this.#looksAt) return;
    clearTimeout(this.#timer);
    this.#looksAt = at;
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref();
  }

  async #look(): Promise<void> {
    this.#looksAt = Infinity;
    this.#isLooking = true;
    this.#hasMissed = false;
    let delayMs = IDLE_MS;
    try {
      delayMs = await this.#lookOnce();
      this.#problem = undefined;
    } catch (error) {
      this.#report((error as Error).message);
    } finally {
      this.#isLooking = false;
      this.#lookWithin(delayMs);
    }
  }

  /** Gives when to look again. */
  async #lookOnce(): Promise<number> {
    const hasNew = await this.#watchFolders();
    const digest = publicationsDigest(await this.options.scan());
    const { state, next } = afterLook(this.#state, digest, this.options.served());
    this.#state = state;
    if (next === 'lookAgain') return SETTLE_MS;
    if (next === 'reload' && !this.#isClosed) await this.options.reload();
    return hasNew || this.#hasMissed ? DEBOUNCE_MS : IDLE_MS;
  }

  /** Once, until a look succeeds or something else is wrong. */
  #report(reason: string): void {
    if (reason !== this.#problem) this.options.log.error({ reason }, 'watch: nothing is reloaded');
    this.#problem = reason;
  }

  /** A change that is pending has its second look already, not sooner than it has to be. */
  #onEvent(): void {
    this.#hasMissed = this.#isLooking;
    if (!this.#isLooking && this.#state.pending === undefined) this.#lookWithin(DEBOUNCE_MS);
  }

  /** Watches the folders that are there now. Gives whether one is new, which may hold more by now. */
  async #watchFolders(): Promise<boolean> {
    const folders = new Set(await publicationFolders(this.options.directory(), MOST_FOLDERS));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    const added = [...folders].filter((folder) => !this.#watchers.has(folder));
    for (const folder of added) this.#watch(folder);
    return added.length > 0;
  }

  #watch(folder: string): void {
    if (this.#isClosed) return;
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        // A folder that is replaced by another one of its name has to be watched anew.
        if (event === 'rename' && name !== null) this.#forgetBelow(join(folder, name));
        this.#onEvent();
      });
      watcher.on('error', () => this.#forget(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.options.log.debug({ folder, reason: (error as Error).message }, 'folder is not watched');
    }
  }

  #forgetBelow(gone: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path === gone || path.startsWith(`${gone}/`)) this.#forget(path, watcher);
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }
}
