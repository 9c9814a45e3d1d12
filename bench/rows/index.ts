import type { Row } from '../lib/row.js';
import { throughputBatching } from './batching.js';
import { idleConnections } from './idle-connections.js';
import { manySwaps } from './many-swaps.js';
import { latencyMid, latencyTiny } from './latency.js';
import { neighbour } from './neighbour.js';
import { processorTime } from './processor-time.js';
import { sharedWeights } from './shared-weights.js';
import { swapUnderLoad } from './swap.js';
import { throughputFastApi, throughputTiny } from './throughput.js';
import { timeToReady } from './time-to-ready.js';
import { workerKill } from './worker-kill.js';

/** In the order of DESIGN §8. */
export const ROWS: readonly Row[] = [
  latencyTiny,
  latencyMid,
  throughputTiny,
  throughputFastApi,
  throughputBatching,
  processorTime,
  sharedWeights,
  timeToReady,
  swapUnderLoad,
  neighbour,
  workerKill,
  manySwaps,
  idleConnections,
];
