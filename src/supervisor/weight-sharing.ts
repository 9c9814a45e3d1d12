import type { Logger } from '../telemetry/log.js';
import type { FromWorker, WeightsAnswer } from '../worker/messages.js';
import type { FromWeightOwner } from '../worker/weight-owner-messages.js';
import { LoadTurns, type Grant } from './load-turns.js';
import { SlabLedger, type Holder, type SlabAction } from './slab-ledger.js';
import { WeightOwnerProcess, type WeightOwnerHandlers } from './weight-owner-process.js';

export interface WeightSharingOptions {
  ortLibrary: string | undefined;
  drainTimeoutMs(): number;
  answer(holder: Holder, request: number, answer: WeightsAnswer): void;
  /** What these workers run on is undefined: they must answer nothing any more. */
  onLost(holders: readonly Holder[]): void;
  log: Logger;
  /** For tests. */
  startOwner?: (handlers: WeightOwnerHandlers) => Owner;
}

export type Owner = Pick<WeightOwnerProcess, 'pid' | 'send' | 'kill'>;
type Borrow = Extract<FromWorker, { type: 'borrowWeights' }>;

/** What a GPU's owner holds for the workers there. */
export interface SharedWeights {
  ownerPid: number;
  models: number;
  bytes: number;
}

interface Gpu {
  readonly index: number;
  readonly ledger: SlabLedger;
  readonly turns: LoadTurns;
  owner: Owner | undefined;
  /** It has been killed, and may still have memory of the GPU: the next one starts after it. */
  ending: Owner | undefined;
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
 * given it back before; weights come to one holder after the other, see LoadTurns.
 */
export class WeightSharing {
  readonly #gpus = new Map<number, Gpu>();
  #isClosed = false;

  constructor(private readonly options: WeightSharingOptions) {}

  /** By the number of the GPU; only of those that have an owner now. */
  get shared(): ReadonlyMap<number, SharedWeights> {
    const shared = new Map<number, SharedWeights>();
    for (const { index, owner, ledger } of this.#gpus.values()) {
      if (owner) shared.set(index, { ownerPid: owner.pid, ...ledger.size });
    }
    return shared;
  }

  borrow(holder: Holder, { request, modelPath, gpu: index }: Borrow): void {
    const gpu = this.#gpu(index);
    const reason = this.#refusal(gpu);
    if (reason === undefined) this.#act(gpu, gpu.ledger.borrow(modelPath, { holder, request }));
    else this.options.answer(holder, request, { reason });
  }

  /** It has closed them, or never got them. */
  giveBack(holder: Holder, request: number): void {
    for (const gpu of this.#gpus.values()) this.#act(gpu, gpu.ledger.giveBack(holder, request));
  }

  /** Its load has ended, one way or another. */
  settle(holder: Holder, request: number): void {
    for (const gpu of this.#gpus.values()) this.#grant(gpu.turns.settle(holder, request));
  }

  /** Its process has ended, and with it what it had open. */
  onGone(holder: Holder): void {
    for (const gpu of this.#gpus.values()) {
      this.#grant(gpu.turns.onHolderGone(holder));
      this.#act(gpu, gpu.ledger.onHolderGone(holder));
    }
  }

  /** Ends the owners; the workers have to have ended before. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const gpu of this.#gpus.values()) end(gpu);
  }

  #gpu(index: number): Gpu {
    const known = this.#gpus.get(index);
    if (known) return known;
    const made: Gpu = {
      ...{ index, ledger: new SlabLedger(), turns: new LoadTurns() },
      ...{ owner: undefined, ending: undefined, ends: [], deadlines: new Map() },
    };
    this.#gpus.set(index, made);
    return made;
  }

  /** Why nothing can be borrowed now. */
  #refusal(gpu: Gpu): string | undefined {
    if (this.#isClosed) return 'the daemon is shutting down';
    gpu.ends = gpu.ends.filter((at) => performance.now() - at < WINDOW_MS);
    if (gpu.ends.length < MOST_ENDS) return undefined;
    return `the process that holds shared weights has ended ${MOST_ENDS} times in ${WINDOW_MINUTES} minutes`;
  }

  /** Has it load what is waited for; unless another one has not ended yet, after which this is called again. */
  #start(gpu: Gpu): void {
    if (this.#isClosed || gpu.owner || gpu.ending || gpu.ledger.isEmpty) return;
    const start = this.options.startOwner ?? ((handlers) => new WeightOwnerProcess(handlers));
    const owner: Owner = start({
      onMessage: (message) => this.#onMessage(gpu, message),
      onExit: (how) => this.#onExit(gpu, owner, how),
    });
    gpu.owner = owner;
    this.options.log.info({ gpu: gpu.index, ownerPid: owner.pid }, 'weights are shared');
    const { ortLibrary } = this.options;
    const drainTimeoutMs = this.options.drainTimeoutMs();
    owner.send({ type: 'start', gpu: gpu.index, ortLibrary, drainTimeoutMs });
    for (const modelPath of gpu.ledger.awaited) this.#load(gpu, owner, modelPath);
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

  #onExit(gpu: Gpu, owner: Owner, how: string): void {
    if (gpu.ending === owner) {
      gpu.ending = undefined;
      this.#start(gpu);
      return;
    }
    gpu.owner = undefined;
    this.#onLost(gpu, `the process that held shared weights ended with ${how}`);
  }

  #onLost(gpu: Gpu, reason: string): void {
    end(gpu);
    gpu.ends.push(performance.now());
    gpu.turns.clear();
    const { actions, affected } = gpu.ledger.onOwnerGone(reason);
    const facts = { gpu: gpu.index, workerPids: affected, reason };
    this.options.log.error(facts, 'shared weights are lost');
    if (affected.length > 0) this.options.onLost(affected);
    this.#act(gpu, actions);
  }

  #act(gpu: Gpu, actions: readonly SlabAction[]): void {
    for (const action of actions) this.#perform(gpu, action);
    // Its context takes memory of the GPU, too.
    if (gpu.ledger.isEmpty) end(gpu);
    else gpu.owner?.send({ type: 'holders', pids: gpu.ledger.holders });
  }

  #perform(gpu: Gpu, action: SlabAction): void {
    switch (action.type) {
      case 'load':
        if (gpu.owner) this.#load(gpu, gpu.owner, action.modelPath);
        else this.#start(gpu);
        return;
      case 'free':
        return gpu.owner?.send({ type: 'free', slab: action.slab });
      case 'grant':
        return this.#grant(gpu.turns.add(action));
      case 'refuse':
        return this.options.answer(action.holder, action.request, { reason: action.reason });
    }
  }

  #grant(grant: Grant | undefined): void {
    if (grant) this.options.answer(grant.holder, grant.request, { slab: grant.slab });
  }

  #load(gpu: Gpu, owner: Owner, modelPath: string): void {
    owner.send({ type: 'load', modelPath });
    const onLate = () => {
      this.#onLost(gpu, 'the process that holds shared weights took too long to load some');
    };
    gpu.deadlines.set(modelPath, setTimeout(onLate, LOAD_TIMEOUT_MS));
  }
}

/** What it frees by that is free when it has exited. */
function end(gpu: Gpu): void {
  for (const modelPath of [...gpu.deadlines.keys()]) clearDeadline(gpu, modelPath);
  if (!gpu.owner) return;
  gpu.ending = gpu.owner;
  gpu.owner = undefined;
  gpu.ending.kill();
}

function clearDeadline({ deadlines }: Gpu, modelPath: string): void {
  clearTimeout(deadlines.get(modelPath));
  deadlines.delete(modelPath);
}
