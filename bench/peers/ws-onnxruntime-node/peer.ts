import { join } from 'node:path';
import { clusterOf, RPC, startNodePeer, threadsOfRun } from '../../lib/peer-process.js';
import type { ServerKind } from '../../lib/server.js';

/** Its packages are the project's own. */

const PROGRAM = join(import.meta.dirname, 'server.mjs');

/** An update loads the new session in the process that serves, and switches. */
export const wsSingle: ServerKind = {
  name: 'ws + onnxruntime-node',
  isSingleProcess: true,
  problem: () => undefined,
  start: ({ model, cpus }) =>
    startNodePeer([PROGRAM, model.modelPath, String(threadsOfRun(1, cpus))], { cpus }, RPC),
};

/** An update restarts one worker after another. */
export const wsCluster: ServerKind = {
  name: 'ws + onnxruntime-node, cluster',
  problem: () => undefined,
  start: (options) => startNodePeer(clusterOf(PROGRAM, options), { cpus: options.cpus }, RPC),
};
