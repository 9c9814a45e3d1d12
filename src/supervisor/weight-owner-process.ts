import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWeightOwner, ToWeightOwner } from '../worker/weight-owner-messages.js';
import { childEnvironment } from './child-environment.js';

export interface WeightOwnerHandlers {
  /** Not after `kill`. */
  onMessage(message: FromWeightOwner): void;
  /** Once, also after `kill`: what it held is there no more. */
  onExit(how: string): void;
}

const ENTRY = fileURLToPath(new URL('../worker/weight-owner-main.js', import.meta.url));

/** The process that holds what the workers on one GPU share. */
export class WeightOwnerProcess {
  readonly #child: ChildProcess;
  #isKilled = false;
  #hasEnded = false;

  constructor(private readonly handlers: WeightOwnerHandlers) {
    this.#child = fork(ENTRY, [], {
      execArgv: [],
      env: childEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => {
      if (!this.#isKilled && !this.#hasEnded) handlers.onMessage(message as FromWeightOwner);
    });
    this.#child.once('exit', (code, signal) => this.#onEnd(signal ?? `code ${code}`));
    // One that never started has no `exit`.
    this.#child.on('error', ({ message }) => {
      if (this.#child.pid === undefined) this.#onEnd(message);
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

  #onEnd(how: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.handlers.onExit(how);
  }
}
