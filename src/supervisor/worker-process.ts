import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device } from '../config/device.js';
import { childEnvironment } from './child-environment.js';
import type { FromWorker, ToWorker } from '../worker/messages.js';

/**
 * `starting → joining → joined → ready`: it loads the committed generation, then it listens. One that
 * is to load another one in the place of what it serves goes through `joining` again.
 * `draining` finishes what it holds; `gone` has ended and starts again; `failed` is given up.
 */
export type WorkerState =
  'starting' | 'joining' | 'joined' | 'ready' | 'draining' | 'gone' | 'failed';

export interface WorkerHandlers {
  onMessage(worker: WorkerProcess, message: FromWorker): void;
  onExit(worker: WorkerProcess, how: string): void;
}

/**
 * The new space, in MB, has the size that it finds under load anyway, after doubling it again and again. And
 * 8 s after a load V8 does not collect garbage three times, for 10 ms each, to have less memory: requests wait.
 */
const V8_OPTIONS = ['--min-semi-space-size=8', '--max-semi-space-size=8', '--no-memory-reducer'];
const WORKER_ENTRY = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/** One worker process and what the supervisor knows of it. */
export class WorkerProcess {
  state: WorkerState = 'starting';
  /** Another process takes its place when it ends. */
  isKept = true;
  /** It is to be replaced; until then it serves what it does. */
  isStuck = false;
  /** It serves all of the generation that it joined at. */
  isComplete = true;
  /** Since when it listens, by the monotonic clock; nothing if it never did. */
  readySince: number | undefined;
  /** Why it is given up, or ended by the supervisor. */
  reason: string | undefined;
  #wasDrained = false;
  #deadline: NodeJS.Timeout | undefined;
  readonly #child: ChildProcess;

  constructor(
    readonly id: number,
    readonly restarts: number,
    readonly device: Device,
    handlers: WorkerHandlers,
  ) {
    this.#child = fork(WORKER_ENTRY, [], {
      execArgv: V8_OPTIONS,
      env: childEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => handlers.onMessage(this, message as FromWorker));
    const onEnd = (how: string) => {
      this.state = 'gone';
      this.clearDeadline();
      handlers.onExit(this, this.reason ?? how);
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
    return !this.isStuck && (this.state === 'joined' || this.state === 'ready');
  }

  /** Its port is open, or was until it was asked to end. */
  get listens(): boolean {
    return this.readySince !== undefined;
  }

  get hasEnded(): boolean {
    return this.state === 'gone' || this.state === 'failed';
  }

  /** It was asked to end. */
  get wasDrained(): boolean {
    return this.#wasDrained;
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Kills it with this reason after `timeoutMs`, unless the deadline is cleared or moved before. */
  setDeadline(timeoutMs: number, reason: string): void {
    this.clearDeadline();
    this.#deadline = setTimeout(() => this.kill(reason), timeoutMs);
  }

  clearDeadline(): void {
    clearTimeout(this.#deadline);
  }

  /** Asks it to finish and exit; kills it after `timeoutMs`. Resolves when it has ended. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.hasEnded) return;
    this.state = 'draining';
    this.#wasDrained = true;
    const exited = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.send({ type: 'drain' });
    this.setDeadline(timeoutMs, 'took too long to drain');
    await exited;
  }

  kill(reason?: string): void {
    this.reason = reason;
    this.#child.kill('SIGKILL');
  }
}
