import type { ServerKind } from '../lib/server.js';
import { fastApi } from './fastapi-pool/peer.js';
import { fastify } from './fastify-onnxruntime-node/peer.js';
import { rayServe } from './ray-serve/peer.js';
import { wsCluster, wsSingle } from './ws-onnxruntime-node/peer.js';

/** Servers of models that the daemon is compared with. */
export const PEERS: readonly ServerKind[] = [wsSingle, wsCluster, fastify, fastApi, rayServe];

/** Those that can spread over several processes. */
export const MULTI_PROCESS_PEERS = PEERS.filter(({ isSingleProcess }) => isSingleProcess !== true);
