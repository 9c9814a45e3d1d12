import type { Device } from '../config/device.js';
import type { GenerationPlan, ModelPlan, VersionFailure } from '../registry/plan.js';
import type { ModelMemory } from '../rpc/methods.js';
import { noLimitCounts, type LimitCounts } from '../telemetry/limit-counts.js';
import type { BreakerReport, WorkerReport } from '../worker/messages.js';
import { mergeGpus, type GpuStatus } from './gpu-status.js';
import { mergeVersions, type LoadedVersion } from './merge-versions.js';
import type { PlanProblem } from './plan-generation.js';
import type { StatisticsSummary } from './statistics.js';
import { readProcessMemory, type ProcessMemory } from './process-memory.js';
import type { SharedWeights } from './weight-sharing.js';
import type { WorkerPool } from './worker-pool.js';
import type { WorkerProcess, WorkerState } from './worker-process.js';

/** The answer of `GET /status`. */
export interface Status {
  generation: number;
  /** Of the supervisor: signals go there. */
  pid: number;
  uptimeSeconds: number;
  listen: { host: string; port: number };
  workers: WorkerStatus[];
  /** Those that models run on through CUDA, as the driver shows them to the workers. */
  gpus: GpuStatus[];
  models: ModelStatus[];
}

export interface WorkerStatus extends ProcessMemory {
  id: number;
  pid: number;
  state: WorkerState;
  device: Device;
  generation: number | null;
  connections: number;
  inflight: number;
  /** How often its limits were applied since it started. */
  limited: LimitCounts;
  restarts: number;
  /** Why it has ended or is given up. */
  reason?: string;
}

export interface ModelStatus {
  name: string;
  active: number | null;
  /** What a rollback goes back to. */
  previous?: number;
  labels: Readonly<Record<string, number>>;
  versions: VersionStatus[];
  /** Why the model's folder cannot be followed. */
  problem?: string;
}

export interface VersionStatus {
  version: number;
  state: string;
  reason?: string;
  /** Size of the mapped files. */
  bytes: number;
  /** Private memory is the sum over the workers; what is mapped they share. */
  memory: ModelMemory;
  /** The sum over the workers; none of a version that no worker has loaded. */
  statistics?: StatisticsSummary;
  /** It serves already, and will be faster when its packed weights are in use. */
  prepacking?: true;
  /** Of all workers: open if it is so in one of them, and how often it was opened in all. */
  breaker?: BreakerReport;
  loadMs: number;
  warmMs: number;
}

const NOT_LOADED = {
  bytes: 0,
  memory: { mappedBytes: 0, residentBytes: 0, privateBytes: 0 },
  loadMs: 0,
  warmMs: 0,
};

export interface StatusInput {
  committed: GenerationPlan;
  failures: readonly VersionFailure[];
  problems: readonly PlanProblem[];
  pool: WorkerPool;
  /** By the number of the GPU. */
  shared: ReadonlyMap<number, SharedWeights>;
  packing: { model: string; version: number } | undefined;
  listen: { host: string; port: number };
  startedAt: number;
}

export async function collectStatus(input: StatusInput): Promise<Status> {
  const { pool } = input;
  const reports = await Promise.all(pool.workers.map(({ id }) => pool.report(id)));
  const known = reports.filter((report) => report !== undefined);
  const versions = mergeVersions(known);
  return {
    generation: input.committed.generation,
    pid: process.pid,
    uptimeSeconds: Math.round((Date.now() - input.startedAt) / 1000),
    listen: input.listen,
    workers: await Promise.all(
      pool.workers.map((worker, index) => workerStatus(worker, reports[index])),
    ),
    gpus: mergeGpus(
      known.flatMap(({ gpus }) => gpus),
      input.shared,
    ),
    models: modelNames(input).map((name) => modelStatus(name, input, versions)),
  };
}

async function workerStatus(
  worker: WorkerProcess,
  report: WorkerReport | undefined,
): Promise<WorkerStatus> {
  const { id, pid, state, device, restarts, reason } = worker;
  return {
    id,
    pid,
    state,
    device,
    generation: report?.generation ?? null,
    connections: report?.connections ?? 0,
    inflight: report?.inflight ?? 0,
    limited: report?.limited ?? noLimitCounts(),
    restarts,
    ...(reason === undefined ? {} : { reason }),
    ...(await readProcessMemory(pid)),
  };
}

function modelNames({ committed, failures, problems, packing }: StatusInput): string[] {
  const names = [
    ...committed.models.map(({ name }) => name),
    ...[...failures, ...problems, ...(packing ? [packing] : [])].map(({ model }) => model),
  ];
  return [...new Set(names)].sort();
}

function modelStatus(
  name: string,
  input: StatusInput,
  versions: readonly LoadedVersion[],
): ModelStatus {
  const plan: ModelPlan | undefined = input.committed.models.find((model) => model.name === name);
  const problem = input.problems.find(({ model }) => model === name)?.reason;
  const loaded = versions.filter((version) => version.model === name);
  const failures = input.failures.filter(
    ({ model, version, isServable }) =>
      model === name && !(isServable && loaded.some((report) => report.version === version)),
  );
  return {
    name,
    active: plan?.active ?? null,
    ...(plan?.previous === undefined ? {} : { previous: plan.previous }),
    labels: plan?.labels ?? {},
    versions: [
      ...loaded.map((report) => loadedVersion(report, input.failures)),
      ...failures.map(failedVersion),
      ...(input.packing?.model === name ? [packedVersion(input.packing.version)] : []),
    ],
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A version that is ready, and must not become active, says why. */
function loadedVersion(
  { model, ...version }: LoadedVersion,
  failures: readonly VersionFailure[],
): VersionStatus {
  const refused = failures.find(
    (failed) => failed.isServable && failed.model === model && failed.version === version.version,
  );
  return version.state === 'ready' && refused ? { ...version, reason: refused.reason } : version;
}

function failedVersion({ version, reason }: VersionFailure): VersionStatus {
  return { version, state: 'failed', reason, ...NOT_LOADED };
}

function packedVersion(version: number): VersionStatus {
  return { version, state: 'packing', ...NOT_LOADED };
}
