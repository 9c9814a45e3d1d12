import { join } from 'node:path';
import { coreCount } from './affinity.js';
import { Child, type ChildOptions } from './child.js';
import { peersDir } from './paths.js';
import { processTree } from './processes.js';
import { rpcRequest } from './requests.js';
import type { RunningServer, StartOptions } from './server.js';

/** What the descriptors of peers (peers/NAME/peer.ts) have in common. */

/** Of a child process: its whole tree is the server, and ends with it. */
export function toServer(
  child: Child,
  how: Pick<RunningServer, 'url' | 'request' | 'update'> & Partial<Pick<RunningServer, 'stop'>>,
): RunningServer {
  return { pids: () => processTree(child.pid), stop: () => child.stop(), ...how };
}

/** Starts a program of Node.js that prints `{"port": …}` and is told to update over IPC. */
export async function startNodePeer(
  program: readonly string[],
  options: ChildOptions,
  {
    scheme,
    path,
    request,
  }: { scheme: 'ws' | 'http'; path: string } & Pick<RunningServer, 'request'>,
): Promise<RunningServer> {
  const child = new Child(process.execPath, program, { ...options, ipc: true });
  const line = await child.until(() => child.lines[0]);
  const { port } = JSON.parse(line) as { port: number };
  return toServer(child, {
    url: `${scheme}://127.0.0.1:${port}${path}`,
    request,
    update: async ({ modelPath }) => {
      await child.ask({ update: modelPath });
    },
  });
}

/** `ws` servers that take the daemon's frames. */
export const RPC = { scheme: 'ws', path: '/rpc', request: rpcRequest } as const;

/** The program of a worker and its arguments, as many processes of it as wanted behind one port. */
export function clusterOf(worker: string, { model, workers, cpus }: StartOptions): string[] {
  const primary = join(peersDir, 'node-cluster', 'primary.mjs');
  const threads = threadsOfRun(workers, cpus);
  return [primary, worker, String(workers), model.modelPath, String(threads)];
}

/** What the daemon gives a run: see src/supervisor/thread-budget.ts. */
export function threadsOfRun(workers: number, cpus: string | undefined): number {
  return Math.max(1, Math.floor(coreCount(cpus) / workers));
}
