import type { Logger } from '../telemetry/log.js';
import {
  checkpointPath,
  readCheckpoint,
  removeAbandoned,
  writeCheckpoint,
  type Checkpoint,
  type DaemonIdentity,
} from './checkpoint.js';

export interface CheckpointKeeperOptions {
  folder: string;
  /** May change while the daemon runs. */
  identity(): DaemonIdentity;
  log: Logger;
}

/** Reads and writes this daemon's checkpoint. Trouble with it is logged and never keeps models from being served. */
export class CheckpointKeeper {
  constructor(private readonly options: CheckpointKeeperOptions) {}

  restore(): Checkpoint | undefined {
    try {
      removeAbandoned(this.options.folder, Date.now());
      return readCheckpoint(this.options.folder, this.options.identity());
    } catch (error) {
      this.#logTrouble('the checkpoint is ignored', error);
      return undefined;
    }
  }

  save(checkpoint: Checkpoint): void {
    try {
      writeCheckpoint(this.options.folder, this.options.identity(), checkpoint);
    } catch (error) {
      this.#logTrouble(
        'the checkpoint cannot be written; a killed daemon would not come back to this',
        error,
      );
    }
  }

  #logTrouble(what: string, error: unknown): void {
    const file = checkpointPath(this.options.folder, this.options.identity());
    this.options.log.error({ file, reason: (error as Error).message }, what);
  }
}
