import type { GenerationPlan, ModelPlan, VersionFailure } from '../registry/plan.js';
import type { VersionReport, WorkerReport } from '../worker/messages.js';
import type { PlanProblem } from './plan-generation.js';
import { readProcessMemory, type ProcessMemory } from './process-memory.js';
import type { WorkerPool } from './worker-pool.js';
import type { WorkerProcess, WorkerState } from './worker-process.js';

/** The answer of `GET /status`. */
export interface Status {
  generation: number;
  uptimeSeconds: number;
  listen: { host: string; port: number };
  workers: WorkerStatus[];
  models: ModelStatus[];
}

export interface WorkerStatus extends ProcessMemory {
  id: number;
  pid: number;
  state: WorkerState;
  device: string;
  generation: number | null;
  connections: number;
  inflight: number;
  restarts: number;
  /** Why it has ended or is given up. */
  reason?: string;
}

export interface ModelStatus {
  name: string;
  active: number | null;
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
  loadMs: number;
  warmMs: number;
}

export interface StatusInput {
  committed: GenerationPlan;
  failures: readonly VersionFailure[];
  problems: readonly PlanProblem[];
  pool: WorkerPool;
  packing: { model: string; version: number } | undefined;
  listen: { host: string; port: number };
  device: string;
  startedAt: number;
}

export async function collectStatus(input: StatusInput): Promise<Status> {
  const { pool } = input;
  const reports = await Promise.all(pool.workers.map(({ id }) => pool.report(id)));
  const versions = reports.find((report) => report !== undefined)?.versions ?? [];
  return {
    generation: input.committed.generation,
    uptimeSeconds: Math.round((Date.now() - input.startedAt) / 1000),
    listen: input.listen,
    workers: await Promise.all(
      pool.workers.map((worker, index) => workerStatus(worker, reports[index], input.device)),
    ),
    models: modelNames(input).map((name) => modelStatus(name, input, versions)),
  };
}

async function workerStatus(
  worker: WorkerProcess,
  report: WorkerReport | undefined,
  device: string,
): Promise<WorkerStatus> {
  const { id, pid, state, restarts, reason } = worker;
  return {
    id,
    pid,
    state,
    device,
    generation: report?.generation ?? null,
    connections: report?.connections ?? 0,
    inflight: report?.inflight ?? 0,
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
  reports: readonly VersionReport[],
): ModelStatus {
  const plan: ModelPlan | undefined = input.committed.models.find((model) => model.name === name);
  const problem = input.problems.find(({ model }) => model === name)?.reason;
  return {
    name,
    active: plan?.active ?? null,
    labels: plan?.labels ?? {},
    versions: [
      ...reports.filter(({ model }) => model === name).map(loadedVersion),
      ...input.failures.filter(({ model }) => model === name).map(failedVersion),
      ...(input.packing?.model === name ? [packedVersion(input.packing.version)] : []),
    ],
    ...(problem === undefined ? {} : { problem }),
  };
}

function loadedVersion({ model: _, ...version }: VersionReport): VersionStatus {
  return version;
}

function failedVersion({ version, reason }: VersionFailure): VersionStatus {
  return { version, state: 'failed', reason, bytes: 0, loadMs: 0, warmMs: 0 };
}

function packedVersion(version: number): VersionStatus {
  return { version, state: 'packing', bytes: 0, loadMs: 0, warmMs: 0 };
}
