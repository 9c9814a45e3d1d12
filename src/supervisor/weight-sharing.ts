import type { Logger } from '../telemetry/log.js';
import type { FromWorker, WeightsAnswer } from '../worker/messages.js';
import type { FromWeightOwner } from '../worker/weight-owner-messages.js';
import { SlabLedger, type Holder, type SlabAction } from './slab-ledger.js';
import { WeightOwnerProcess } from './weight-owner-process.js';

export interface WeightSharingOptions {
  ortLibrary: string | undefined;
  drainTimeoutMs(): number;
  answer(holder: Holder, request: number, answer: WeightsAnswer): void;
  /** What these workers run on is undefined: others have to take their places. */
  onLost(holders: readonly Holder[]): void;
  log: Logger;
}

type Borrow = Extract<FromWorker, { type: 'borrowWeights' }>;

interface Gpu {
  readonly index: number;
  readonly ledger: SlabLedger;
  owner: WeightOwnerProcess | undefined;
  /** When owners have ended that were not to. */
  ends: number[];
  /** Of each load that is under way. */
  readonly deadlines: Map<string, NodeJS.Timeout>;
}

/** An owner that ends so often within the window is not started again before that has passed. */
const MOST_ENDS = 3;
const WINDOW_MINUTES = 10;
const WINDOW_MS = WINDOW_MINUTES * 60_000;
/** A copy into a GPU's memory that takes longer is stuck. */
const LOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * The weights that workers on one GPU share: an owner process for each GPU while somebody uses some, and
 * who uses what. Holders are process ids. Each borrow is answered once, unless its holder has gone or has
 * given it back before.
 */
export class WeightSharing {
  readonly #gpus = new Map<number, Gpu>();
  #isClosed = false;

  constructor(private readonly options: WeightSharingOptions) {}

  borrow(holder: Holder, { request, modelPath, gpu: index }: Borrow): void {
    const gpu = this.#gpu(index);
    const reason = this.#start(gpu);
    if (reason === undefined) this.#act(gpu, gpu.ledger.borrow(modelPath, { holder, request }));
    else this.options.answer(holder, request, { reason });
  }

  giveBack(holder: Holder, request: number): void {
    for (const gpu of this.#gpus.values()) this.#act(gpu, gpu.ledger.giveBack(holder, request));
  }

  /** Its process has ended, and with it what it had open. */
  onGone(holder: Holder): void {
    for (const gpu of this.#gpus.values()) this.#act(gpu, gpu.ledger.onHolderGone(holder));
  }

  /** Ends the owners; the workers have to have ended before. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const gpu of this.#gpus.values()) end(gpu);
  }

  #gpu(index: number): Gpu {
    const known = this.#gpus.get(index);
    if (known) return known;
    const ledger = new SlabLedger();
    const made: Gpu = { index, ledger, owner: undefined, ends: [], deadlines: new Map() };
    this.#gpus.set(index, made);
    return made;
  }

  /** Gives the reason if there is no owner, and none may be started. */
  #start(gpu: Gpu): string | undefined {
    if (this.#isClosed) return 'the daemon is shutting down';
    if (gpu.owner) return undefined;
    gpu.ends = gpu.ends.filter((at) => performance.now() - at < WINDOW_MS);
    if (gpu.ends.length >= MOST_ENDS) {
      return `the process that holds shared weights has ended ${MOST_ENDS} times in ${WINDOW_MINUTES} minutes`;
    }
    gpu.owner = new WeightOwnerProcess({
      onMessage: (message) => this.#onMessage(gpu, message),
      onExit: (how) => this.#lose(gpu, `the process that held shared weights ended with ${how}`),
    });
    this.options.log.info({ gpu: gpu.index, ownerPid: gpu.owner.pid }, 'weights are shared');
    const { ortLibrary } = this.options;
    const drainTimeoutMs = this.options.drainTimeoutMs();
    gpu.owner.send({ type: 'start', gpu: gpu.index, ortLibrary, drainTimeoutMs });
    return undefined;
  }

  #onMessage(gpu: Gpu, message: FromWeightOwner): void {
    const { modelPath } = message;
    clearDeadline(gpu, modelPath);
    const actions =
      message.type === 'loaded'
        ? gpu.ledger.onLoaded(modelPath, message.slab)
        : gpu.ledger.onFailed(modelPath, message.reason);
    this.#act(gpu, actions);
  }

  #lose(gpu: Gpu, reason: string): void {
    end(gpu);
    gpu.ends.push(performance.now());
    const { actions, affected } = gpu.ledger.onOwnerGone(reason);
    const facts = { gpu: gpu.index, workerPids: affected, reason };
    this.options.log.error(facts, 'shared weights are lost');
    this.#act(gpu, actions);
    if (affected.length > 0) this.options.onLost(affected);
  }

  #act(gpu: Gpu, actions: readonly SlabAction[]): void {
    for (const action of actions) {
      if (action.type === 'load') this.#load(gpu, action.modelPath);
      else if (action.type === 'free') gpu.owner?.send({ type: 'free', slab: action.slab });
      else this.options.answer(action.holder, action.request, toAnswer(action));
    }
    // Its context takes memory of the GPU, too.
    if (gpu.ledger.isEmpty) end(gpu);
    else gpu.owner?.send({ type: 'holders', pids: gpu.ledger.holders });
  }

  #load(gpu: Gpu, modelPath: string): void {
    gpu.owner?.send({ type: 'load', modelPath });
    const onLate = () => {
      this.#lose(gpu, 'the process that holds shared weights took too long to load some');
    };
    gpu.deadlines.set(modelPath, setTimeout(onLate, LOAD_TIMEOUT_MS));
  }
}

function end(gpu: Gpu): void {
  for (const modelPath of [...gpu.deadlines.keys()]) clearDeadline(gpu, modelPath);
  gpu.owner?.kill();
  gpu.owner = undefined;
}

function clearDeadline({ deadlines }: Gpu, modelPath: string): void {
  clearTimeout(deadlines.get(modelPath));
  deadlines.delete(modelPath);
}

function toAnswer(action: Extract<SlabAction, { type: 'grant' | 'refuse' }>): WeightsAnswer {
  return action.type === 'grant' ? { slab: action.slab } : { reason: action.reason };
}
