import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from '../worker/messages.js';

/**
 * `starting → joining → joined → ready`: it loads the committed generation, then it listens.
 * `draining` finishes what it holds; `gone` has ended.
 */
export type WorkerState = 'starting' | 'joining' | 'joined' | 'ready' | 'draining' | 'gone';

export interface WorkerHandlers {
  onMessage(worker: WorkerProcess, message: FromWorker): void;
  onExit(worker: WorkerProcess, how: string): void;
}

const WORKER_ENTRY = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/** One worker process and what the supervisor knows of it. */
export class WorkerProcess {
  state: WorkerState = 'starting';
  readonly startedAt = Date.now();
  /** It serves all of the generation that it joined at. */
  isComplete = true;
  readonly #child: ChildProcess;

  constructor(
    readonly id: number,
    readonly restarts: number,
    handlers: WorkerHandlers,
  ) {
    this.#child = fork(WORKER_ENTRY, [], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => handlers.onMessage(this, message as FromWorker));
    const onEnd = (how: string) => {
      this.state = 'gone';
      handlers.onExit(this, how);
    };
    this.#child.once('exit', (code, signal) => {
      onEnd(signal === null ? `code ${code}` : `signal ${signal}`);
    });
    this.#child.on('error', ({ message }) => {
      // A send that fails means that it is exiting; `exit` follows. One that never started has none.
      if (this.#child.pid === undefined) onEnd(message);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Takes part in swaps. */
  get isMember(): boolean {
    return this.state === 'joined' || this.state === 'ready';
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Asks it to finish and exit; kills it after `timeoutMs`. Resolves when it has ended. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.state === 'gone') return;
    this.state = 'draining';
    const exited = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.send({ type: 'drain' });
    const timer = setTimeout(() => this.kill(), timeoutMs);
    await exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
