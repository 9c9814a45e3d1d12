import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SessionReply, SessionRequest } from '../peers/in-process/requests.js';
import { coreCount } from './affinity.js';
import { Child, nodeArgs } from './child.js';
import type { BenchModel } from './models.js';
import { benchBuild, peersDir } from './paths.js';
import { processTree } from './processes.js';

/** The servers that the daemon is compared with. Each is a process of its own; owners call `stop`. */

export interface Peer {
  readonly url: string;
  pids(): number[];
  stop(): Promise<void>;
}

export async function startEcho(cpus: string | undefined): Promise<Peer> {
  return startNodePeer('uws-echo', [], cpus);
}

/** `threads`: what the daemon's one worker gives a run. */
export async function startWsOnnxRuntime(
  model: BenchModel,
  cpus: string | undefined,
): Promise<Peer> {
  return startNodePeer('ws-onnxruntime-node', [model.modelPath, String(coreCount(cpus))], cpus);
}

async function startNodePeer(
  name: string,
  args: readonly string[],
  cpus: string | undefined,
): Promise<Peer> {
  const file = join(peersDir, name, 'server.ts');
  const child = new Child(process.execPath, nodeArgs(file, ...args), { cpus });
  const line = await child.until(() => child.lines[0]);
  const { port } = JSON.parse(line) as { port: number };
  return toPeer(child, `ws://127.0.0.1:${port}/rpc`);
}

/** Why the FastAPI peer cannot run here, if it cannot. Installs its packages at the first call. */
export function fastApiProblem(): string | undefined {
  const { status, stderr } = spawnSync(join(peersDir, 'fastapi-pool', 'make-venv.sh'), {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? 'no Python');
}

/** As many pool processes as cores, one thread each. */
export async function startFastApi(model: BenchModel, cpus: string | undefined): Promise<Peer> {
  const python = join(benchBuild, 'venv', 'bin', 'python');
  const child = new Child(
    python,
    [
      ...['-m', 'uvicorn', 'app:app', '--app-dir', join(peersDir, 'fastapi-pool')],
      ...['--host', '127.0.0.1', '--port', '0', '--loop', 'uvloop', '--http', 'httptools'],
      '--no-access-log',
    ],
    {
      cpus,
      environment: {
        MODEL_PATH: model.modelPath,
        INTRA_OP_THREADS: '1',
        POOL_PROCESSES: String(coreCount(cpus)),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  );
  const address = await child.until(() => /running on (http:\S+)/.exec(child.errors)?.[1]);
  return toPeer(child, `${address}/infer`);
}

function toPeer(child: Child, url: string): Peer {
  return { url, pids: () => processTree(child.pid), stop: () => child.stop() };
}

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

  stop(): Promise<void> {
    return this.child.stop();
  }
}

async function ask(child: Child, request: SessionRequest): Promise<SessionReply> {
  child.process.send(request);
  const [reply] = (await once(child.process, 'message')) as [SessionReply];
  return reply;
}

export function pythonVersion(): string {
  try {
    return execFileSync('python3', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return 'no python3';
  }
}
