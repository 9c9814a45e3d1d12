import { InvalidArgumentError, type Command } from 'commander';
import type { ReloadResult } from '../supervisor/reload-result.js';
import { countFailures, countRequests } from '../supervisor/statistics.js';
import type { GpuStatus } from '../supervisor/gpu-status.js';
import type { Status, VersionStatus } from '../supervisor/status.js';
import type { WorkerExchange } from '../supervisor/supervisor.js';
import { adminOption, defaultAdminUrl } from './admin-address.js';
import { AdminClient } from './admin-client.js';
import { EventReader, formatEvent } from './event-reader.js';
import { UsageError } from './usage-error.js';

interface CtlFlags {
  admin?: string;
  json?: boolean;
}

/** `warmswap ctl …`: each subcommand is one call of the admin interface. */
export function addCtlCommands(ctl: Command, positiveInteger: (text: string) => number): void {
  const add: Add = (name, description) =>
    ctl
      .command(name)
      .description(description)
      .addOption(adminOption())
      .option('--json', 'print JSON');

  add('status', 'generation, workers and models').action(async (flags: CtlFlags) => {
    const status = (await clientOf(flags).get('/status')) as Status;
    print(flags, status, formatStatus(status));
  });
  add('reload', 'follow the configuration and the repository').action(async (flags: CtlFlags) => {
    report(flags, (await clientOf(flags).post('/reload')) as ReloadResult);
  });
  add('events', 'print what happens, until the daemon ends').action(async (flags: CtlFlags) => {
    const reader = new EventReader((event) => print(flags, event, formatEvent(event)));
    await clientOf(flags).stream('/events', (piece) => reader.read(piece));
  });
  addWorkerCommands(add);
  addModelCommands(add, positiveInteger);
}

function clientOf({ admin }: CtlFlags): AdminClient {
  return new AdminClient(admin ?? defaultAdminUrl(process.env));
}

type Add = (name: string, description: string) => Command;

/** Those that replace workers. */
function addWorkerCommands(add: Add): void {
  add('drain', 'replace one worker, the new one first')
    .argument('<id>', 'the id of a worker, as status shows it', workerId)
    .action(async (worker: number, flags: CtlFlags) => {
      const exchange = await clientOf(flags).post('/drain', { worker });
      print(flags, exchange, formatExchange(exchange as WorkerExchange));
    });
  add('restart', 'replace all workers, one after another').action(async (flags: CtlFlags) => {
    const answer = await clientOf(flags).post('/restart');
    const { workers } = answer as { workers: WorkerExchange[] };
    print(flags, answer, workers.map(formatExchange).join('\n'));
  });
}

/** Those that steer one model. */
function addModelCommands(add: Add, positiveInteger: (text: string) => number): void {
  const version = ['a version of the repository', positiveInteger] as const;
  add('activate', 'make a version the active one')
    .argument('<model>')
    .argument('<version>', ...version)
    .option('--allow-signature-change', 'its inputs and outputs may differ')
    .action(
      (model: string, number: number, flags: CtlFlags & { allowSignatureChange?: boolean }) => {
        const { allowSignatureChange = false } = flags;
        return post(flags, model, 'activate', { version: number, allowSignatureChange });
      },
    );
  add('rollback', 'go back to the version that was active before')
    .argument('<model>')
    .action((model: string, flags: CtlFlags) => post(flags, model, 'rollback', {}));
  for (const [name, description] of [
    ['load', 'load a version beside the others, or serve a model that was unloaded'],
    ['unload', 'unload a version that is not in use, or the whole model'],
  ] as const) {
    add(name, description)
      .argument('<model>')
      .argument('[version]', ...version)
      .action((model: string, number: number | undefined, flags: CtlFlags) =>
        post(flags, model, name, number === undefined ? {} : { version: number }),
      );
  }
  add('label', 'give a label to a version, or with --remove take it away')
    .argument('<model>')
    .argument('<label>')
    .argument('[version]', ...version)
    .option('--remove', 'take the label away')
    .action(changeLabel);
}

async function changeLabel(
  model: string,
  label: string,
  version: number | undefined,
  flags: CtlFlags & { remove?: boolean },
): Promise<void> {
  const { remove = false } = flags;
  if (remove === (version !== undefined)) throw new UsageError('expected a version or --remove');
  const path = modelPath(model, `labels/${encodeURIComponent(label)}`);
  const client = clientOf(flags);
  const answer = await (remove ? client.delete(path) : client.put(path, { version }));
  const result = answer as ReloadResult;
  report(flags, result, formatLabelChange(result, model, label, version));
}

async function post(flags: CtlFlags, model: string, name: string, body: unknown): Promise<void> {
  const result = await clientOf(flags).post(modelPath(model, name), body);
  report(flags, result as ReloadResult);
}

function modelPath(model: string, rest: string): string {
  return `/models/${encodeURIComponent(model)}/${rest}`;
}

function workerId(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the number of a worker');
}

function formatExchange({ worker, replacement }: WorkerExchange): string {
  return `worker ${worker} is replaced by worker ${replacement}`;
}

function print(flags: CtlFlags, value: unknown, text: string): void {
  console.log(flags.json ? JSON.stringify(value) : text);
}

/** Prints what changed; exit code 1 if anything that was wanted did not come true. */
function report(flags: CtlFlags, result: ReloadResult, text = formatReload(result)): void {
  print(flags, result, text);
  if (result.changes.some((change) => change.result !== 'committed')) process.exitCode = 1;
}

export function formatReload({ generation, changes, warnings = [] }: ReloadResult): string {
  const title = `generation ${generation}${changes.length === 0 ? ': nothing has changed' : ''}`;
  const lines = changes.map(
    ({ model, from, to, result, reason }) =>
      `  ${model}: ${from ?? 'none'} → ${to ?? 'none'} ${result}${reason === undefined ? '' : `: ${reason}`}`,
  );
  return [title, ...lines, ...warnings.map(formatWarning)].join('\n');
}

function formatWarning(warning: string): string {
  return `  warning: ${warning}`;
}

/** Where it came true and nothing else has changed, the label's change; else as for a reload. */
export function formatLabelChange(
  result: ReloadResult,
  model: string,
  label: string,
  version: number | undefined,
): string {
  const { generation, changes, warnings = [] } = result;
  const [only, ...others] = changes;
  const isPlain = only?.model === model && only.result === 'committed' && only.from === only.to;
  if (!isPlain || others.length > 0) return formatReload(result);
  const change = version === undefined ? 'removed' : `→ ${version}`;
  const lines = [`generation ${generation}`, `  ${model}: label ${label} ${change}`];
  return [...lines, ...warnings.map(formatWarning)].join('\n');
}

export function formatStatus(status: Status): string {
  const workers = status.workers.map(
    ({ id, pid, state, device, connections, inflight, restarts, pssBytes, reason }) =>
      `  worker ${id}  pid ${pid}  ${state}  ${device}  ${connections} connections  ` +
      `${inflight} in flight  ${restarts} restarts  ${mebibytes(pssBytes)} PSS${reason === undefined ? '' : `  ${reason}`}`,
  );
  const models = status.models.flatMap(({ name, active, labels, versions, problem }) => [
    `  ${name}  active ${active ?? 'none'}${formatLabels(labels)}${problem === undefined ? '' : `  ${problem}`}`,
    ...versions.map(
      (version) =>
        `    version ${version.version}  ${version.state}  ${version.reason ?? formatLoaded(version)}`,
    ),
  ]);
  const head = `generation ${status.generation}, up ${status.uptimeSeconds} s, listening on ${status.listen.host}:${status.listen.port}`;
  return [head, ...workers, ...status.gpus.map(formatGpu), ...models].join('\n');
}

function formatGpu({ device, name, freeBytes, totalBytes, modelBytes }: GpuStatus): string {
  const memory = `${mebibytes(freeBytes)} free of ${mebibytes(totalBytes)}`;
  return `  ${device}  ${name}  ${memory}, models took ${mebibytes(modelBytes)}`;
}

function formatLoaded({ bytes, loadMs, warmMs, statistics }: VersionStatus): string {
  const loaded = `${mebibytes(bytes)}  loaded in ${loadMs.toFixed(0)} ms, warmed in ${warmMs.toFixed(0)} ms`;
  if (!statistics) return loaded;
  const requests = countRequests(statistics);
  const p99 = statistics.runUs.p99;
  const run = p99 === null ? '' : `, p99 run ≤ ${p99} µs`;
  return `${loaded}  ${requests} requests, ${countFailures(statistics)} failed${run}`;
}

function formatLabels(labels: Readonly<Record<string, number>>): string {
  const pairs = Object.entries(labels).map(([label, version]) => `${label}=${version}`);
  return pairs.length === 0 ? '' : `  ${pairs.join(' ')}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
