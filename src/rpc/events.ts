/** What a daemon tells those who listen: over HTTP as server-sent events, over RPC as notifications. */

export const EVENT_TYPES = ['swap', 'model', 'worker'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export type DaemonEvent = SwapEvent | ModelEvent | WorkerEvent;

/** `prepared`: every worker is ready to commit. */
export interface SwapEvent {
  type: 'swap';
  state: 'prepared' | 'committed' | 'aborted';
  generation: number;
  /** Why it was aborted. */
  reason?: string;
}

/**
 * `loaded`, `retired`: the version is served from this generation on, or no more. `failed`: it was
 * refused. `labelled`, `unlabelled`: `label` names it now, or no more. `broken`, `recovered`: in
 * `worker` its breaker keeps requests away from it, or no more.
 */
export interface ModelEvent {
  type: 'model';
  state:
    'loaded' | 'active' | 'labelled' | 'unlabelled' | 'failed' | 'retired' | 'broken' | 'recovered';
  model: string;
  version: number;
  generation: number;
  label?: string;
  worker?: number;
  /** Why it was refused. */
  reason?: string;
}

/** `drained`: it has finished what it held and ended; `exited`: it ended otherwise. */
export interface WorkerEvent {
  type: 'worker';
  state: 'started' | 'ready' | 'drained' | 'exited';
  worker: number;
  pid: number;
  generation: number;
  /** How it ended. */
  reason?: string;
}

export function isEventType(value: unknown): value is EventType {
  return EVENT_TYPES.includes(value as EventType);
}
