import { installedProgram, nodeProblem } from '../../lib/peer-packages.js';
import { clusterOf, startNodePeer } from '../../lib/peer-process.js';
import { httpRequestToMsgpackr } from '../../lib/requests.js';
import type { ServerKind } from '../../lib/server.js';

const NAME = 'fastify-onnxruntime-node';
const HTTP = { scheme: 'http', path: '/infer', request: httpRequestToMsgpackr } as const;

/** An update restarts one worker after another. */
export const fastify: ServerKind = {
  name: 'Fastify + onnxruntime-node, cluster',
  problem: () => nodeProblem(NAME),
  start: (options) =>
    startNodePeer(clusterOf(installedProgram(NAME), options), { cpus: options.cpus }, HTTP),
};
