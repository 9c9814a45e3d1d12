import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../repository/artifact-store.js';
import type { FromPacker, PackOrder } from '../repository/pack-messages.js';
import { childEnvironment } from './child-environment.js';

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

/** One packer process at work. It ends by itself when all jobs are done. */
export class PackerProcess {
  /** The results by job. Never rejects: a packer that dies fails the jobs it had left. */
  readonly results: Promise<ReadonlyMap<number, PackResult>>;
  readonly #child = fork(PACKER_ENTRY, [], {
    execArgv: [],
    env: childEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

  constructor(order: PackOrder, handlers: PackerHandlers) {
    this.results = this.#run(order, handlers);
  }

  /** Ends it now; what is half made is never served. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #run(order: PackOrder, handlers: PackerHandlers): Promise<ReadonlyMap<number, PackResult>> {
    const results = new Map<number, PackResult>();
    this.#child.on('message', (message: FromPacker) => {
      if (message.type === 'progress') handlers.onProgress(message.id, message.step);
      if (message.type === 'packed') results.set(message.id, message);
      if (message.type === 'failed') results.set(message.id, message);
    });
    this.#child.on('error', () => {});
    this.#child.send(order, () => {});
    return new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const reason = `the packer ended with ${signal ?? `code ${code}`}`;
        for (const { id } of order.jobs) {
          if (!results.has(id)) results.set(id, { code: 'INTERNAL', reason });
        }
        resolve(results);
      });
    });
  }
}
