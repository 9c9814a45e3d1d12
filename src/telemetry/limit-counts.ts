/** How often each limit was applied in this worker since it started. */
export interface LimitCounts {
  /** Connections that were cut off because their reader was too slow. */
  slowReaders: number;
  /** Requests that were refused because of their rate. */
  overRate: number;
  /** Connections that were refused because there were too many. */
  overConnections: number;
  /** Bodies over HTTP that took too long to arrive. */
  slowBodies: number;
}

export function noLimitCounts(): LimitCounts {
  return { slowReaders: 0, overRate: 0, overConnections: 0, slowBodies: 0 };
}
