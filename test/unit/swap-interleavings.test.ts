import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SwapStrategy } from '../../src/config/schema.js';
import type { GenerationPlan } from '../../src/registry/plan.js';
import {
  IDLE,
  step,
  type SwapAction,
  type SwapEvent,
  type SwapState,
} from '../../src/supervisor/swap-coordinator.js';

/**
 * The coordinator among workers that behave as real ones do, at the mercy of a schedule: messages of
 * different workers overtake each other, workers die with messages under way and come back, timers
 * fire late, newer generations supersede older ones. The rules are checked at every action.
 */

type Command = Extract<SwapAction, { type: 'prepare' | 'commit' | 'abort' | 'rejoin' }>;

interface Process {
  /** Of a process that is dead commands get lost, but what it sent still arrives. */
  isAlive: boolean;
  /** Does nothing until it is killed. */
  isHung: boolean;
  /** The supervisor has been told that it is dead. */
  isKnownDead: boolean;
  generation: number;
  prepared: { attempt: number; generation: number } | undefined;
  /** What it serves is unloaded: it serves nothing until it commits, gives up or has rejoined. */
  isVacant: boolean;
  /** It is to rejoin: what it serves is committed no more. */
  isLeaving: boolean;
  commands: Command[];
  sent: SwapEvent[];
}

interface Attempt {
  number: number;
  generation: number;
  strategy: SwapStrategy;
  isDecided: boolean;
  isAborted: boolean;
  finishes: number;
  preparing: Process | undefined;
}

const WORKERS = [0, 1, 2];

type Step = () => void;

const when = (condition: boolean, happens: Step): Step[] => (condition ? [happens] : []);

function isPrepared(process: Process, attempt: Attempt): boolean {
  return process.prepared?.attempt === attempt.number;
}

class World {
  #state: SwapState = IDLE;
  #processes = new Map<number, Process>();
  #timer: number | undefined;
  #lateTimer = 0;
  #committed = 0;
  #lastAttempt = 0;
  readonly attempts: Attempt[] = [];
  rejoined = 0;

  constructor(members: readonly number[]) {
    for (const worker of members) this.#processes.set(worker, this.#newProcess());
  }

  get isIdle(): boolean {
    return this.#state.phase === 'idle';
  }

  /** Everything that may happen next; mishaps are rarer. */
  possibilities(): Step[] {
    const fair = this.fairPossibilities();
    return [...Array<Step[]>(10).fill(fair).flat(), ...this.#mishaps()];
  }

  /** What happens without mishaps: commands and messages arrive. */
  fairPossibilities(): Step[] {
    return [...this.#processes.entries()].flatMap(([worker, process]) => {
      const { isAlive, isHung, isKnownDead, commands, sent } = process;
      return [
        ...when(isAlive && !isHung && commands.length > 0, () =>
          this.#obey(worker, process, false),
        ),
        ...when(sent.length > 0, () => this.#apply(sent.shift() as SwapEvent)),
        ...when(!isAlive && !isKnownDead, () => this.#learnOfDeath(worker, process)),
      ];
    });
  }

  fireTimer(): void {
    const attempt = this.#timer;
    if (attempt === undefined) return;
    this.#timer = undefined;
    this.#lateTimer = attempt;
    this.#apply({ type: 'timedOut', attempt });
  }

  #mishaps(): Step[] {
    const absent = WORKERS.filter((worker) => !this.#isThere(worker));
    return [
      () => this.#apply({ type: 'superseded' }),
      ...when(this.isIdle, () => this.#begin('load-first')),
      ...when(this.isIdle, () => this.#begin('unload-first')),
      ...when(this.#timer !== undefined, () => this.fireTimer()),
      ...when(this.#lateTimer > 0, () =>
        this.#apply({ type: 'timedOut', attempt: this.#lateTimer }),
      ),
      ...absent.map((worker) => () => this.#join(worker)),
      ...[...this.#processes.entries()].flatMap(([worker, process]) => [
        ...when(process.isAlive, () => void (process.isAlive = false)),
        ...when(process.isAlive, () => void (process.isHung = true)),
        ...when(process.isAlive && process.commands.length > 0, () =>
          this.#obey(worker, process, true),
        ),
      ]),
    ];
  }

  /** At rest, after everything has arrived: nobody is left behind. */
  checkAtRest(): void {
    expect(this.#state).toEqual(IDLE);
    for (const { finishes, isDecided, isAborted } of this.attempts) {
      expect(finishes).toBe(1);
      expect(isDecided).not.toBe(isAborted);
    }
    for (const process of this.#living()) {
      expect(process.generation).toBe(this.#committed);
      expect(process.isLeaving).toBe(false);
      if (!process.isHung) expect(process.isVacant).toBe(false);
      if (!process.isHung) expect(process.prepared).toBeUndefined();
    }
  }

  #living(): Process[] {
    return [...this.#processes.values()].filter(({ isAlive }) => isAlive);
  }

  /** What the process before it sent may still arrive. */
  #newProcess(before?: Process): Process {
    return {
      isAlive: true,
      isHung: false,
      isKnownDead: false,
      generation: this.#committed,
      prepared: undefined,
      isVacant: false,
      isLeaving: false,
      commands: [],
      sent: before?.sent ?? [],
    };
  }

  #isThere(worker: number): boolean {
    const process = this.#processes.get(worker);
    return process !== undefined && !process.isKnownDead;
  }

  /** A process that (re)starts is a member once it has the committed generation. */
  #join(worker: number): void {
    this.#processes.set(worker, this.#newProcess(this.#processes.get(worker)));
    this.#apply({ type: 'workerJoined', worker });
  }

  #learnOfDeath(worker: number, process: Process): void {
    process.isKnownDead = true;
    // Nobody lets a process join that has ended.
    process.sent = process.sent.filter(({ type }) => type !== 'workerJoined');
    this.#apply({ type: 'workerGone', worker });
  }

  #begin(strategy: SwapStrategy): void {
    const attempt = ++this.#lastAttempt;
    const plan: GenerationPlan = { generation: this.#committed + 1, models: [] };
    const workers = WORKERS.filter((worker) => this.#isThere(worker));
    this.attempts.push({
      number: attempt,
      generation: plan.generation,
      strategy,
      isDecided: false,
      isAborted: false,
      finishes: 0,
      preparing: undefined,
    });
    this.#apply({ type: 'begin', attempt, plan, strategy, workers });
  }

  #obey(worker: number, process: Process, isFailing: boolean): void {
    const command = process.commands.shift() as Command;
    if (command.type === 'rejoin') return this.#rejoin(worker, process);
    const { attempt } = command;
    if (command.type === 'prepare' && isFailing) {
      process.sent.push({ type: 'prepareFailed', attempt, worker, failures: [] });
    } else if (command.type === 'prepare') {
      process.isVacant = command.unloadsFirst;
      process.prepared = { attempt, generation: command.plan.generation };
      process.sent.push({ type: 'prepared', attempt, worker });
    } else if (command.type === 'abort') {
      if (process.prepared?.attempt !== attempt) return;
      process.prepared = undefined;
      process.isVacant = false;
    } else {
      expect(process.prepared?.attempt).toBe(attempt);
      process.generation = process.prepared?.generation ?? NaN;
      process.prepared = undefined;
      process.isVacant = false;
      process.sent.push({ type: 'committed', attempt, worker, flipMs: 1 });
    }
  }

  /** Loads what is committed when it begins, in the place of what it has. */
  #rejoin(worker: number, process: Process): void {
    this.rejoined++;
    process.generation = this.#committed;
    process.prepared = undefined;
    process.isVacant = false;
    process.isLeaving = false;
    process.sent.push({ type: 'workerJoined', worker });
  }

  #apply(event: SwapEvent): void {
    const { state, actions } = step(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#perform(action);
  }

  #perform(action: SwapAction): void {
    switch (action.type) {
      case 'decide':
        this.#decide(action.plan.generation);
        break;
      case 'startTimer':
        this.#timer = action.attempt;
        break;
      case 'replace':
        this.#process(action.worker).isAlive = false;
        break;
      case 'finish':
        this.#finish(this.#current(action.attempt), action.result.outcome);
        break;
      default:
        this.#send(action);
    }
  }

  #decide(generation: number): void {
    const attempt = this.#current(this.#lastAttempt);
    expect([attempt.isDecided, attempt.isAborted]).toEqual([false, false]);
    attempt.isDecided = true;
    const living = this.#living();
    const ready = living.filter((process) => isPrepared(process, attempt));
    if (attempt.strategy === 'load-first') expect(ready).toEqual(living);
    // At most one was without what it serves for this attempt: the others have served all the time.
    const isReturning = ({ commands }: Process) => commands.some(({ type }) => type === 'abort');
    const vacant = living.filter((process) => process.isVacant && !isReturning(process));
    expect(vacant.length).toBeLessThanOrEqual(1);
    for (const process of living) process.isLeaving = !ready.includes(process);
    this.#committed = generation;
  }

  #finish(attempt: Attempt, outcome: string): void {
    attempt.finishes++;
    attempt.isAborted = !attempt.isDecided;
    expect(outcome).toBe(attempt.isDecided ? 'committed' : 'aborted');
    for (const process of this.#living()) expect(process.generation).toBe(this.#committed);
  }

  #send(command: Command): void {
    if (command.type === 'rejoin') return this.#sendRejoin(command);
    const attempt = this.#current(command.attempt);
    const process = this.#process(command.worker);
    if (command.type === 'commit')
      expect([attempt.isDecided, attempt.isAborted]).toEqual([true, false]);
    if (command.type === 'abort') expect(attempt.isDecided).toBe(false);
    if (command.type === 'prepare') this.#checkPrepare(attempt, process);
    if (process.isAlive) process.commands.push(command);
  }

  /** Only once the generation is decided, to those that have not prepared it. */
  #sendRejoin(command: Command): void {
    const process = this.#process(command.worker);
    expect(this.#current(this.#lastAttempt).isDecided).toBe(true);
    expect(process.isKnownDead).toBe(false);
    if (process.isAlive) expect(process.isLeaving).toBe(true);
    if (process.isAlive) process.commands.push(command);
  }

  /** One at a time: the process before has prepared, or is dead. */
  #checkPrepare(attempt: Attempt, process: Process): void {
    const before = attempt.preparing;
    expect(process.isKnownDead).toBe(false);
    expect([attempt.isDecided, attempt.isAborted]).toEqual([false, false]);
    expect(before === undefined || !before.isAlive || isPrepared(before, attempt)).toBe(true);
    attempt.preparing = process;
  }

  /** Actions are of the one attempt that is under way. */
  #current(attempt: number): Attempt {
    expect(attempt).toBe(this.#lastAttempt);
    const [current] = this.attempts.slice(-1);
    if (!current) throw new Error('no attempt has begun');
    expect(current.finishes).toBe(0);
    return current;
  }

  #process(worker: number): Process {
    const process = this.#processes.get(worker);
    if (!process) throw new Error(`there is no worker ${worker}`);
    return process;
  }
}

/** Lets everything arrive; where nothing is under way any more, the timer fires. */
function settle(world: World): void {
  for (let rounds = 0; rounds < 1_000; rounds++) {
    const [next] = world.fairPossibilities();
    if (next) next();
    else if (world.isIdle) return;
    else world.fireTimer();
  }
  throw new Error('the swap never ends');
}

test('no schedule breaks the two-phase commit, and every swap ends', () => {
  const seen = { committed: 0, aborted: 0, rejoined: 0 };
  fc.assert(
    fc.property(
      fc.subarray(WORKERS),
      fc.array(fc.nat(), { minLength: 20, maxLength: 200 }),
      (members, schedule) => {
        const world = new World(members);
        for (const choice of schedule) {
          const possible = world.possibilities();
          possible[choice % possible.length]?.();
        }
        settle(world);
        world.checkAtRest();
        for (const { isDecided } of world.attempts) seen[isDecided ? 'committed' : 'aborted']++;
        seen.rejoined += world.rejoined;
      },
    ),
    { numRuns: 2_000 },
  );
  expect(seen.committed).toBeGreaterThan(100);
  expect(seen.aborted).toBeGreaterThan(100);
  expect(seen.rejoined).toBeGreaterThan(100);
});
