import { fromFloat32, RawRpc, shiftRequest, type WireError } from './raw-rpc.js';

/** Clients of the fixture `shift` that ask as fast as they are answered, each on its own connection. */
export class ShiftLoad {
  readonly errors: (WireError | string)[] = [];
  /** For each connection, the versions in the order in which they answered, without repeats. */
  readonly versions: number[][];
  requests = 0;
  #running = true;
  readonly #done: Promise<unknown>;

  private constructor(private readonly connections: readonly RawRpc[]) {
    this.versions = connections.map(() => []);
    this.#done = Promise.all(connections.map((rpc, i) => this.#drive(rpc, this.versions[i] ?? [])));
  }

  static async start(url: string, clients: number): Promise<ShiftLoad> {
    const connect = () => RawRpc.connect(url);
    return new ShiftLoad(await Promise.all(Array.from({ length: clients }, connect)));
  }

  /** Whether the newest answer on every connection came from this version. */
  allOn(version: number): boolean {
    return this.versions.every((seen) => seen.at(-1) === version);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    for (const rpc of this.connections) rpc.close();
  }

  async #drive(rpc: RawRpc, seen: number[]): Promise<void> {
    for (let value = 0; this.#running; value = (value + 1) % 1000) {
      const { error, result } = await rpc.call('infer', shiftRequest([value, 0, 0, 0]));
      this.requests++;
      if (error) {
        this.errors.push(error);
        continue;
      }
      if (seen.at(-1) !== result.version) seen.push(result.version);
      const answer = fromFloat32(result.outputs.y as never)[0];
      if (answer !== value + result.version) this.errors.push(`${value} → ${answer}`);
    }
  }
}
