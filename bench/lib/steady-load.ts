import { PhasedLoad } from './load.js';
import type { PreparedRequest } from './requests.js';

/** So many that a stall of the server does not stop the client from sending what is due. */
const DEPTH = 64;
/** HTTP requests are not pipelined. */
const HTTP_DEPTH = 1;

export interface Pace {
  connections: number;
  /** Requests a second over all connections. */
  rate: number;
  /** See LoadOptions. */
  seriesMs?: number;
}

/** Asks at a fixed rate; the client shares the cores with the server. */
export function startSteadyLoad(
  url: string,
  request: PreparedRequest,
  pace: Pace,
): Promise<PhasedLoad> {
  const depth = url.startsWith('ws') ? DEPTH : HTTP_DEPTH;
  return PhasedLoad.start({ url, request, depth, ...pace });
}
