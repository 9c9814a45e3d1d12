import { join } from 'node:path';
import { Child, nodeArgs } from './child.js';
import { peersDir } from './paths.js';
import { processTree } from './processes.js';

/** An echo of frames by uWebSockets.js, in a process of its own. Its owner calls `stop`. */
export interface Echo {
  readonly url: string;
  pids(): number[];
  stop(): Promise<void>;
}

export async function startEcho(cpus: string | undefined): Promise<Echo> {
  const program = join(peersDir, 'uws-echo', 'server.ts');
  const child = new Child(process.execPath, nodeArgs(program), { cpus });
  const line = await child.until(() => child.lines[0]);
  const { port } = JSON.parse(line) as { port: number };
  return {
    url: `ws://127.0.0.1:${port}/rpc`,
    pids: () => processTree(child.pid),
    stop: () => child.stop(),
  };
}
