import type { Row } from '../lib/row.js';
import { throughputBatching } from './batching.js';
import { onGpu } from './gpu.js';
import { idleConnections } from './idle-connections.js';
import { manySwaps } from './many-swaps.js';
import { modelShapes } from './model-shapes.js';
import { latencyByRate } from './latency-by-rate.js';
import { latencyMid, latencyTiny } from './latency.js';
import { memoryByWorkers } from './memory-by-workers.js';
import { neighbour } from './neighbour.js';
import { peerReady } from './peer-ready.js';
import { peerThroughput } from './peer-throughput.js';
import { peerUpdate } from './peer-update.js';
import { priorities } from './priorities.js';
import { processorTime } from './processor-time.js';
import { sharedWeights } from './shared-weights.js';
import { swapUnderLoad } from './swap.js';
import { throughputFastApi, throughputTiny } from './throughput.js';
import { timeToReady } from './time-to-ready.js';
import { workerKill } from './worker-kill.js';

/** In the order of DESIGN §8; then those over all peers. */
export const ROWS: readonly Row[] = [
  latencyTiny,
  latencyMid,
  throughputTiny,
  throughputFastApi,
  throughputBatching,
  modelShapes,
  processorTime,
  sharedWeights,
  timeToReady,
  swapUnderLoad,
  neighbour,
  workerKill,
  manySwaps,
  onGpu,
  idleConnections,
  priorities,
  peerThroughput,
  latencyByRate,
  memoryByWorkers,
  peerReady,
  peerUpdate,
];
