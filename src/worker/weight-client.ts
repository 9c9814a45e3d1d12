import type { WeightLease, WeightSource } from '../registry/weight-source.js';
import { WarmswapError } from '../rpc/errors.js';
import type { FromWorker, WeightsAnswer } from './messages.js';

/** Borrows weights in a GPU's memory from the supervisor. As many wait as there are loads: one. */
export class WeightClient implements WeightSource {
  readonly #waiting = new Map<number, (answer: WeightsAnswer) => void>();
  #last = 0;

  constructor(private readonly send: (message: FromWorker) => void) {}

  async borrow(modelPath: string, gpu: number, signal?: AbortSignal): Promise<WeightLease> {
    const request = ++this.#last;
    const answer = await this.#ask({ type: 'borrowWeights', request, modelPath, gpu }, signal);
    if ('reason' in answer) throw new WarmswapError('FAILED_PRECONDITION', answer.reason);
    let isHeld = true;
    const giveBack = () => {
      if (isHeld) this.send({ type: 'returnWeights', request });
      isHeld = false;
    };
    return { slab: answer.slab, giveBack };
  }

  onAnswer(request: number, answer: WeightsAnswer): void {
    this.#waiting.get(request)?.(answer);
  }

  async #ask(
    message: Extract<FromWorker, { type: 'borrowWeights' }>,
    signal: AbortSignal | undefined,
  ): Promise<WeightsAnswer> {
    const { request } = message;
    let onAbort = () => {};
    try {
      return await new Promise<WeightsAnswer>((resolve, reject) => {
        onAbort = () => {
          this.send({ type: 'returnWeights', request });
          reject(new WarmswapError('CANCELLED', 'no longer wanted'));
        };
        this.#waiting.set(request, resolve);
        signal?.addEventListener('abort', onAbort);
        this.send(message);
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(request);
    }
  }
}
