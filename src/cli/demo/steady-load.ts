import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Client, type InferAnswer } from '../../client/index.js';
import type { Workload } from './workload.js';

export interface Sample {
  /** When the request was due, in milliseconds of performance.now(). */
  dueAt: number;
  /** From when it was due until it was answered. */
  latencyMs: number;
}

const MOST_FAILURES_KEPT = 5;
const MOST_LATE_MS = 100;

/**
 * Several clients, each with a connection of its own, that send at a fixed rate whatever the answers
 * take. Counts as failures: errors, an answer that differs from the same version's first one to the
 * same request, and a connection on which the version went back.
 */
export class SteadyLoad {
  readonly samples: Sample[] = [];
  readonly answers = new Map<number, Map<number, InferAnswer>>();
  readonly failures: string[] = [];
  failed = 0;
  #running = true;
  readonly #done: Promise<unknown>;

  private constructor(
    private readonly workload: Workload,
    private readonly clients: readonly Client[],
  ) {
    const intervalMs = 1000 / workload.ratePerClient;
    this.#done = Promise.all(clients.map((client) => this.#drive(client, intervalMs)));
  }

  static async start(workload: Workload, url: string, clientCount: number): Promise<SteadyLoad> {
    const clients = await Promise.all(Array.from({ length: clientCount }, () => connect(url)));
    return new SteadyLoad(workload, clients);
  }

  get requests(): number {
    return this.samples.length + this.failed;
  }

  /** Versions in the order in which they were first seen. */
  get versionsSeen(): readonly number[] {
    return [...this.answers.keys()];
  }

  /** Stops sending, waits for the answers, closes the connections. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await Promise.all(this.clients.map((client) => client.close()));
  }

  async #drive(client: Client, intervalMs: number): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    let newestVersion = 0;
    const onVersion = (version: number) => {
      if (version < newestVersion) this.#fail(`version ${version} came after ${newestVersion}`);
      newestVersion = Math.max(newestVersion, version);
    };
    for (let n = 0, dueAt = performance.now(); this.#running; n++, dueAt += intervalMs) {
      await sleep(Math.max(0, dueAt - performance.now()));
      // A machine that cannot keep up sends less rather than ever later.
      dueAt = Math.max(dueAt, performance.now() - MOST_LATE_MS);
      const request = this.#send(client, n % this.workload.requests.length, dueAt, onVersion);
      inFlight.add(request);
      void request.then(() => inFlight.delete(request));
    }
    await Promise.all(inFlight);
  }

  async #send(
    client: Client,
    index: number,
    dueAt: number,
    onVersion: (version: number) => void,
  ): Promise<void> {
    try {
      const inputs = this.workload.requests[index] ?? {};
      const answer = await client.infer({ model: this.workload.model, inputs });
      this.samples.push({ dueAt, latencyMs: performance.now() - dueAt });
      onVersion(answer.version);
      this.#check(index, answer);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #check(index: number, answer: InferAnswer): void {
    const answers = this.answers.get(answer.version) ?? new Map<number, InferAnswer>();
    this.answers.set(answer.version, answers);
    const first = answers.get(index);
    if (!first) answers.set(index, answer);
    else if (!sameOutputs(first, answer)) {
      this.#fail(`version ${answer.version} answered the same request in two ways`);
    }
  }

  #fail(reason: string): void {
    this.failed++;
    if (this.failures.length < MOST_FAILURES_KEPT) this.failures.push(reason);
  }
}

function sameOutputs(a: InferAnswer, b: InferAnswer): boolean {
  return Object.entries(a.outputs).every(([name, { data }]) => {
    const other = b.outputs[name]?.data;
    return ArrayBuffer.isView(data) && ArrayBuffer.isView(other) && sameBytes(data, other);
  });
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}
