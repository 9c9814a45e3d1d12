import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../repository/artifact-store.js';
import type { FromPacker, PackOrder } from '../repository/pack-messages.js';
import { packerEnvironment } from './child-environment.js';

/** How one job ended. */
export type PackResult = PackedArtifact | { code: string; reason: string };

export interface PackedArtifact extends Artifact {
  /** SHA-256 of the source's model.onnx. */
  modelSha256: string;
}

export interface PackerHandlers {
  onProgress(job: number, step: 'hashing' | 'packing'): void;
}

const PACKER_ENTRY = fileURLToPath(new URL('../repository/packer-main.js', import.meta.url));

/**
 * One packer process at work. It ends by itself when all jobs are done; one that dies, or takes longer
 * than `timeoutMs` for a job, fails that job and leaves those after it.
 */
export class PackerProcess {
  /** The results by job; none of the jobs that were left. Never rejects. */
  readonly results: Promise<ReadonlyMap<number, PackResult>>;
  readonly #child = fork(PACKER_ENTRY, [], {
    execArgv: [],
    env: packerEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  #timer: NodeJS.Timeout | undefined;
  #isLate = false;

  constructor(
    order: PackOrder,
    private readonly timeoutMs: number,
    private readonly handlers: PackerHandlers,
  ) {
    this.results = this.#run(order);
  }

  /** Ends it now; what is half made is never served. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #run(order: PackOrder): Promise<ReadonlyMap<number, PackResult>> {
    const results = new Map<number, PackResult>();
    this.#child.on('message', (message: FromPacker) => {
      if (message.type === 'progress') this.handlers.onProgress(message.id, message.step);
      if (message.type !== 'packed' && message.type !== 'failed') return;
      results.set(message.id, message);
      this.#restartTimer();
    });
    this.#child.on('error', () => {});
    this.#child.send(order, () => {});
    this.#restartTimer();
    return new Promise((resolve) => {
      // With `exit` its last messages may still be on the way.
      this.#child.once('close', (code, signal) => {
        clearTimeout(this.#timer);
        const unfinished = order.jobs.find(({ id }) => !results.has(id));
        if (unfinished) results.set(unfinished.id, this.#failure(signal ?? `code ${code}`));
        resolve(results);
      });
    });
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.kill();
    }, this.timeoutMs);
  }

  #failure(end: string): PackResult {
    if (!this.#isLate) return { code: 'INTERNAL', reason: `the packer ended with ${end}` };
    const seconds = this.timeoutMs / 1000;
    const reason = `packing it took longer than swap.packTimeout, ${seconds} s`;
    return { code: 'DEADLINE_EXCEEDED', reason };
  }
}
