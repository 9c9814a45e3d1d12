import { PhasedLoad } from './load.js';
import type { BenchModel } from './models.js';
import { rpcRequest } from './requests.js';

/** So many that a stall of the server does not stop the client from sending what is due. */
const DEPTH = 64;

export interface Pace {
  connections: number;
  /** Requests a second over all connections. */
  rate: number;
  /** See LoadOptions. */
  seriesMs?: number;
}

/** Asks for one model at a fixed rate; the client shares the cores with the server. */
export function startSteadyLoad(url: string, model: BenchModel, pace: Pace): Promise<PhasedLoad> {
  return PhasedLoad.start({ url, request: rpcRequest(model), depth: DEPTH, ...pace });
}
