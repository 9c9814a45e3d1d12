import type { WeightLease, WeightSource } from '../registry/weight-source.js';
import { WarmswapError } from '../rpc/errors.js';
import type { FromWorker, WeightsAnswer } from './messages.js';

type Borrow = Extract<FromWorker, { type: 'borrowWeights' }>;

/** Borrows weights in a GPU's memory from the supervisor. As many wait as there are loads: one. */
export class WeightClient implements WeightSource {
  readonly #waiting = new Map<number, (answer: WeightsAnswer) => void>();
  #last = 0;

  constructor(private readonly send: (message: FromWorker) => void) {}

  async borrow(modelPath: string, gpu: number, signal?: AbortSignal): Promise<WeightLease> {
    if (signal?.aborted) throw notWanted();
    const request = ++this.#last;
    const answer = await this.#ask({ type: 'borrowWeights', request, modelPath, gpu }, signal);
    if ('reason' in answer) throw new WarmswapError('FAILED_PRECONDITION', answer.reason);
    return {
      slab: answer.slab,
      giveBack: once(() => this.send({ type: 'returnWeights', request })),
      settle: once(() => this.send({ type: 'weightsSettled', request })),
    };
  }

  /** An answer that nobody waits for is one that has been given back already. */
  onAnswer(request: number, answer: WeightsAnswer): void {
    this.#waiting.get(request)?.(answer);
  }

  async #ask(message: Borrow, signal: AbortSignal | undefined): Promise<WeightsAnswer> {
    const { request } = message;
    let onAbort = () => {};
    const answered = new Promise<WeightsAnswer>((resolve, reject) => {
      onAbort = () => {
        this.send({ type: 'returnWeights', request });
        this.send({ type: 'weightsSettled', request });
        reject(notWanted());
      };
      this.#waiting.set(request, resolve);
    });
    signal?.addEventListener('abort', onAbort);
    this.send(message);
    try {
      return await answered;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(request);
    }
  }
}

function notWanted(): WarmswapError {
  return new WarmswapError('CANCELLED', 'no longer wanted');
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
