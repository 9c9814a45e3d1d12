import type { DaemonConfig } from '../config/schema.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Logger } from '../telemetry/log.js';
import { changedFixedSettings } from './fixed-settings.js';

type Setting = keyof DaemonConfig;

/** Settings that a reload applies here. */
const RELOADED: readonly Setting[] = ['models', 'swap', 'cuda'];

export interface LiveConfigOptions {
  initial: DaemonConfig;
  /** Reads the configuration again; throws if it cannot be used. */
  read(): DaemonConfig;
  log: Logger;
}

/** The configuration as it holds now: a reload changes the part of it that needs no restart. */
export class LiveConfig {
  #current: DaemonConfig;

  constructor(private readonly options: LiveConfigOptions) {
    this.#current = options.initial;
  }

  get current(): DaemonConfig {
    return this.#current;
  }

  /**
   * Gives all that is read, for who may use the daemon (`AccessKeeper`), and the settings that wait for a
   * restart. Throws FAILED_PRECONDITION if the configuration cannot be used; it stays as it is then.
   */
  reload(): { config: DaemonConfig; waiting: readonly string[] } {
    const next = this.#read();
    const waiting = changedFixedSettings(this.#current, next);
    if (waiting.length > 0) this.options.log.warn({ settings: waiting }, 'restart to apply');
    const reloaded = RELOADED.map((key) => [key, next[key]] as const);
    this.#current = { ...this.#current, ...Object.fromEntries(reloaded) };
    return { config: next, waiting };
  }

  #read(): DaemonConfig {
    try {
      return this.options.read();
    } catch (error) {
      throw new WarmswapError('FAILED_PRECONDITION', (error as Error).message, { cause: error });
    }
  }
}
