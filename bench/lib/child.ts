import { spawn, type ChildProcess, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startedOn } from './affinity.js';
import { keepingAccount } from './own-time.js';
import { endProcesses, processTree } from './processes.js';

/** ONNX Runtime's usage reports would be a load of their own; the daemon turns them off too. */
const ENVIRONMENT = { ORT_DISABLE_TELEMETRY: '1' };
/** For what descends from a child that is told to end; then it is killed. */
const PATIENCE_MS = 15_000;

/** So that none outlives a benchmark that breaks. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export interface ChildOptions {
  /** Cores to stay on. */
  cpus?: string | undefined;
  environment?: NodeJS.ProcessEnv;
  stdin?: 'pipe' | 'ignore';
  ipc?: boolean;
}

/** A child process of the benchmarks. Its owner awaits `stop` or `exited`. */
export class Child {
  readonly process: ChildProcess;
  /** What it wrote on standard error. */
  errors = '';
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown>;

  constructor(program: string, args: readonly string[], options: ChildOptions = {}) {
    const { cpus, environment = {}, stdin = 'ignore', ipc = false } = options;
    this.process = startedOn(cpus, () =>
      spawn(program, args, {
        stdio: [stdin, 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
        env: { ...process.env, ...ENVIRONMENT, ...environment },
      }),
    );
    if (!this.process.stdout || !this.process.stderr) throw new Error('no pipes');
    createInterface(this.process.stdout).on('line', (line) => this.#lines.push(line));
    this.process.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    living.add(this.process);
    this.#exited = once(this.process, 'close').then(() => living.delete(this.process));
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Lines of standard output so far; complete once it has exited. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves once `ask` gives something; rejects if the process ends before. */
  async until<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (this.#hasEnded) throw this.#endedEarly();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves with the exit code. */
  async exited(): Promise<number | null> {
    await this.#exited;
    return this.process.exitCode;
  }

  /** Sends a message over IPC; resolves with the next one that comes. */
  async ask(message: Serializable): Promise<unknown> {
    const answered = once(this.process, 'message') as Promise<[unknown]>;
    this.process.send(message);
    const ended = this.#exited.then((): never => {
      throw this.#endedEarly();
    });
    const [answer] = await Promise.race([answered, ended]);
    return answer;
  }

  /** Ends it and all that descends from it. */
  async stop(askToEnd: () => unknown = () => this.process.kill('SIGTERM')): Promise<void> {
    const tree = this.#hasEnded ? [] : processTree(this.pid);
    await keepingAccount(tree, async () => {
      askToEnd();
      await endProcesses(tree, PATIENCE_MS);
      await this.#exited;
    });
  }

  get #hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  #endedEarly(): Error {
    return new Error(`a process ended early: ${this.errors.trim().split('\n').at(-1) ?? ''}`);
  }
}

/** Arguments of Node.js that run a TypeScript file in this very process. */
export function nodeArgs(file: string, ...args: readonly string[]): string[] {
  return ['--import', 'tsx', file, ...args];
}
