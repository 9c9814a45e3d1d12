import type { AccessSettings } from '../access/settings.js';
import type { Device } from '../config/device.js';
import type { DaemonConfig } from '../config/schema.js';
import type { NativeStats } from '../native/binding.js';
import type { Slab } from '../native/engine.js';
import type { BreakerState } from '../registry/circuit-breaker.js';
import type { GenerationPlan, VersionFailure } from '../registry/plan.js';
import type { VersionState } from '../registry/version-state.js';
import type { LimitCounts } from '../telemetry/limit-counts.js';
import type { ModelMemory } from '../rpc/methods.js';

import type { DaemonEvent } from '../rpc/events.js';
import type { GpuReport } from './gpu-report.js';

/** What supervisor and worker tell each other over the worker's IPC channel. Plain JSON. */

export interface WorkerSettings {
  id: number;
  /** What it runs models on that have no device of their own. */
  device: Device;
  limits: DaemonConfig['limits'];
  access: AccessSettings;
  drainTimeoutMs: number;
  /** See BusyPoll. */
  busyPollMs: number;
  /** Threads that serve may be prompt: see native/core/prompt_thread.h. */
  realTime: boolean;
  /** The ONNX Runtime to use; the shipped one if left out. */
  ortLibrary?: string | undefined;
  /** It may borrow weights in a GPU's memory; without that, it has its own. */
  sharesWeights: boolean;
  logLevel: DaemonConfig['log']['level'];
}

export type ToWorker =
  /** First of all, once. */
  | { type: 'start'; settings: WorkerSettings }
  /** Make this generation ready, beside what is served or, with `unloadsFirst`, in its place. */
  | { type: 'prepare'; attempt: number; plan: GenerationPlan; unloadsFirst?: boolean }
  /** Serve the prepared generation from now on. */
  | { type: 'commit'; attempt: number }
  | { type: 'abort'; attempt: number }
  | { type: 'listen'; host: string; port: number }
  | { type: 'report'; request: number }
  /** Who may come in from now on. */
  | { type: 'access'; access: AccessSettings }
  /** The answer to `borrowWeights`: the weights, until they are given back, or why there are none. */
  | ({ type: 'weights'; request: number } & WeightsAnswer)
  /** Answer `alive`, from the JavaScript thread. */
  | { type: 'heartbeat' }
  /** Tell those who have subscribed. */
  | { type: 'event'; event: DaemonEvent }
  /** Finish what is in flight, close the connections, exit. */
  | { type: 'drain' };

export type FromWorker =
  | { type: 'started' }
  | { type: 'prepared'; attempt: number }
  | { type: 'prepareFailed'; attempt: number; failures: readonly VersionFailure[] }
  | { type: 'committed'; attempt: number; flipMs: number }
  /** It has lost what it served, and wants to be replaced. */
  | { type: 'unfit'; reason: string }
  | { type: 'listening' }
  | { type: 'listenFailed'; reason: string }
  | { type: 'report'; request: number; report: WorkerReport }
  /** The answer to a heartbeat, or that it would come if there were no more urgent work. */
  | { type: 'alive' }
  | { type: 'breaker'; model: string; version: number; state: BreakerState }
  /** It is to use the weights of an artifact in a GPU's memory, with other workers. */
  | { type: 'borrowWeights'; request: number; modelPath: string; gpu: number }
  /** It has closed what it got for this request, or wants it no more. Other than that it ends by itself. */
  | { type: 'returnWeights'; request: number }
  /** The load for which it asked has ended, with these weights or without; the next worker can load. */
  | { type: 'weightsSettled'; request: number };

export type WeightsAnswer = { slab: Slab } | { reason: string };

export interface WorkerReport {
  generation: number;
  pid: number;
  connections: number;
  inflight: number;
  limited: LimitCounts;
  /** Runs under way, and requests that wait for them. */
  running: number;
  queued: number;
  /** How long the JavaScript thread has been busy since it began. */
  busyMs: number;
  /** Those that it has loaded models for. */
  gpus: GpuReport[];
  versions: VersionReport[];
}

export interface BreakerReport {
  state: BreakerState;
  /** How often it has opened since the version was loaded. */
  openings: number;
}

export type VersionStatistics = NativeStats;

export interface VersionReport {
  model: string;
  version: number;
  /** See VersionPlan. */
  key: string;
  state: VersionState;
  /** Size of the mapped files. */
  bytes: number;
  memory: ModelMemory;
  /** Of this process, since it loaded the version; none before that. */
  statistics?: VersionStatistics;
  /** It serves already, and will be faster when its packed weights are in use. */
  prepacking?: true;
  loadMs: number;
  warmMs: number;
  /** Where model.yaml asks for one. */
  breaker?: BreakerReport;
  /** Why it could not be warmed, where that is so. */
  reason?: string;
}
