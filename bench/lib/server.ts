import type { BenchModel } from './models.js';
import type { Stoppable } from './owning.js';
import type { PreparedRequest } from './requests.js';

/** What rows over peers measure: the daemon and its peers, started, asked and updated alike. */

export interface ServerKind {
  /** As reports say it. */
  readonly name: string;
  /** Serves from one process, whatever `workers` says. */
  readonly isSingleProcess?: boolean;
  /** Starts slowly and works even when nobody asks: quick runs leave it out, others measure it apart. */
  readonly isHeavy?: boolean;
  /** Why it cannot run here, if it cannot. Installs what it needs at the first call. */
  problem(): string | undefined;
  /** Resolves when it serves the model. */
  start(options: StartOptions): Promise<RunningServer>;
}

export interface StartOptions {
  model: BenchModel;
  /** Processes that run the model. */
  workers: number;
  /** Cores for all of its processes. */
  cpus?: string | undefined;
}

/** Its owner calls `stop`. */
export interface RunningServer extends Stoppable {
  readonly url: string;
  /** An inference in the form that it takes. */
  request(model: BenchModel, rows?: number): PreparedRequest;
  /** Of all its processes that run now. */
  pids(): number[];
  /** Has it serve this model instead, as its users would; resolves when the old one is out of use. */
  update(model: BenchModel): Promise<void>;
}
