/** What must not happen, and what was sent just before. */
export interface Finding {
  what: string;
  /** The corpus that it belongs to. */
  kind: 'websocket' | 'http';
  /** All bytes that went over the connection, but for the upgrade to a WebSocket. */
  sent: Uint8Array;
}

/** Nothing takes longer, however busy the machine is. */
export const PATIENCE_MS = 10_000;

export function countIn<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
