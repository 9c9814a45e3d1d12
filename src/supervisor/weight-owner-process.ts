import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWeightOwner, ToWeightOwner } from '../worker/weight-owner-messages.js';
import { childEnvironment } from './child-environment.js';

export interface WeightOwnerHandlers {
  onMessage(message: FromWeightOwner): void;
  /** Not after `kill`. */
  onExit(how: string): void;
}

const ENTRY = fileURLToPath(new URL('../worker/weight-owner.js', import.meta.url));

/** The process that holds what the workers on one GPU share. */
export class WeightOwnerProcess {
  readonly #child: ChildProcess;
  #isKilled = false;

  constructor(handlers: WeightOwnerHandlers) {
    this.#child = fork(ENTRY, [], {
      execArgv: [],
      env: childEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const onEnd = (how: string) => {
      if (!this.#isKilled) handlers.onExit(how);
      this.#isKilled = true;
    };
    this.#child.on('message', (message) => {
      if (!this.#isKilled) handlers.onMessage(message as FromWeightOwner);
    });
    this.#child.once('exit', (code, signal) => onEnd(signal ?? `code ${code}`));
    // One that never started has no `exit`.
    this.#child.on('error', ({ message }) => {
      if (this.#child.pid === undefined) onEnd(message);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(message: ToWeightOwner): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
  }
}
