import type { CancelSlot } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Version } from './version.js';
import { WaitingRoom } from './waiting-room.js';

/** Versions that are away to make room for others, and the requests that wait for them. */
export class Absences {
  readonly #rooms = new Map<Version, WaitingRoom>();
  #isClosed = false;

  begin(versions: readonly Version[]): void {
    for (const version of versions) {
      const room = new WaitingRoom(describe(version), version.plan.options.queueCapacity);
      this.#rooms.set(version, room);
    }
  }

  /** See WaitingRoom; as many may wait for a version as may be queued for it. */
  wait(version: Version, deadlineMs: number | undefined, slot: CancelSlot): Promise<void> {
    if (this.#isClosed) return Promise.reject(shuttingDown());
    const room = this.#rooms.get(version);
    return room ? room.wait(deadlineMs, slot) : Promise.reject(gone(version));
  }

  /** What was away is replaced, or back. */
  end(): void {
    const rooms = [...this.#rooms.values()];
    this.#rooms.clear();
    for (const room of rooms) room.open();
  }

  /** Sends all who wait away, and whoever comes. */
  close(): void {
    this.#isClosed = true;
    for (const room of this.#rooms.values()) room.close(shuttingDown());
  }
}

function describe({ name, number }: Version): string {
  return `version ${number} of ${name}`;
}

function gone(version: Version): WarmswapError {
  return new WarmswapError('UNAVAILABLE', `${describe(version)} is not loaded any more`);
}

function shuttingDown(): WarmswapError {
  return new WarmswapError('UNAVAILABLE', 'this worker is shutting down');
}
