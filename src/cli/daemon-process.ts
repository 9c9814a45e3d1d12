import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A daemon as a child process: for the demo, benchmarks and tests. Its owner calls `stop` or `kill`. */

const CLI_ENTRY = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MOST_LOG_LINES = 1_000;

export interface LogLine {
  msg: string;
  [field: string]: unknown;
}

export class DaemonProcess {
  /** WebSocket address of the data plane; known once it serves. */
  rpcUrl = '';
  adminUrl = '';
  /** The newest lines of its log. */
  readonly log: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #waiters = new Set<() => void>();
  #exit: { code: number | null; signal: string | null } | undefined;

  private constructor(flags: readonly string[], environment: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [CLI_ENTRY, 'serve', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
    this.#child.once('exit', (code, signal) => {
      this.#exit = { code, signal };
      this.#wake();
    });
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => this.#onLine(line));
    }
  }

  /** Starts `warmswap serve` on ports that are free; resolves when it serves, rejects if it ends. */
  static async start(
    flags: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<DaemonProcess> {
    const ports = ['--port', '0', '--admin-port', '0'];
    const daemon = new DaemonProcess([...ports, ...flags], environment);
    const serving = await daemon.logged((line) => line.msg === 'serving');
    daemon.rpcUrl = String(serving.rpc);
    daemon.adminUrl = String(serving.admin);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first log line, past or to come, that `matches`; rejects if the daemon ends before. */
  async logged(matches: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const line = this.log.find(matches);
      if (line) return line;
      if (this.#exit) throw new Error(`the daemon ended: ${JSON.stringify(this.log.slice(-5))}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM; resolves with the exit code once it has drained and ended. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.exited();
  }

  async exited(): Promise<number | null> {
    while (!this.#exit) await new Promise<void>((resolve) => this.#waiters.add(resolve));
    return this.#exit.code;
  }

  #onLine(text: string): void {
    try {
      this.log.push(JSON.parse(text) as LogLine);
    } catch {
      this.log.push({ msg: text });
    }
    if (this.log.length > MOST_LOG_LINES) this.log.shift();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}
