import type { Engine } from '../../src/native/engine.js';
import type { Target } from '../../bench/gpu/lib/target.js';

/** What a case is given; all of it is the runner's. */
export interface Context {
  target: Target;
  engine: Engine;
  /** A folder for the case alone, removed afterwards. */
  folder: string;
}

export interface Case {
  name: string;
  /** It says nothing of a processor. */
  needsGpu?: true;
  /** Rejects if it fails. */
  run: (context: Context) => Promise<void>;
}
