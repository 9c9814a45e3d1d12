import { join } from 'node:path';
import type { SessionReply, SessionRequest } from '../peers/in-process/requests.js';
import { Child, nodeArgs } from './child.js';
import type { BenchModel } from './models.js';
import { peersDir } from './paths.js';

/** onnxruntime-node without a server. */
export class InProcessSession {
  private constructor(
    private readonly child: Child,
    readonly createMs: number,
  ) {}

  /** Threads of one run; ONNX Runtime's own choice if left out. */
  static async create(
    model: BenchModel,
    options: { cpus?: string | undefined; threads?: number } = {},
  ): Promise<InProcessSession> {
    const { cpus, threads } = options;
    const file = join(peersDir, 'in-process', 'session.ts');
    const child = new Child(process.execPath, nodeArgs(file), { cpus, ipc: true });
    const { modelPath } = model;
    const reply = await ask(child, {
      type: 'create',
      modelPath,
      ...(threads === undefined ? {} : { threads }),
    });
    if (!('createMs' in reply)) throw new Error(`in-process session: ${JSON.stringify(reply)}`);
    return new InProcessSession(child, reply.createMs);
  }

  /** The median run, in microseconds. */
  async runP50(model: BenchModel, rows: number, seconds: number): Promise<number> {
    const reply = await ask(this.child, { type: 'run', rows, width: model.width, seconds });
    if (!('p50Us' in reply)) throw new Error(`in-process run: ${JSON.stringify(reply)}`);
    return reply.p50Us;
  }

  /** One row in, one row out. */
  async infer(input: Float32Array): Promise<Float32Array> {
    const reply = await ask(this.child, { type: 'infer', input: [...input] });
    if (!('output' in reply)) throw new Error(`in-process inference: ${JSON.stringify(reply)}`);
    return Float32Array.from(reply.output);
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

async function ask(child: Child, request: SessionRequest): Promise<SessionReply> {
  return (await child.ask(request)) as SessionReply;
}
