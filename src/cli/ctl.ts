import { InvalidArgumentError, type Command } from 'commander';
import type { ReloadResult } from '../supervisor/reload-result.js';
import type { Status } from '../supervisor/status.js';
import type { WorkerExchange } from '../supervisor/supervisor.js';
import { AdminClient } from './admin-client.js';

interface CtlFlags {
  admin: string;
  json?: boolean;
}

/** `warmswap ctl …`: each subcommand is one call of the admin interface. */
export function addCtlCommands(ctl: Command, positiveInteger: (text: string) => number): void {
  const add = (name: string, description: string) =>
    ctl
      .command(name)
      .description(description)
      .option('--admin <url>', 'the admin interface', 'http://127.0.0.1:9001')
      .option('--json', 'print JSON');

  add('status', 'generation, workers and models').action(async (flags: CtlFlags) => {
    const status = (await new AdminClient(flags.admin).get('/status')) as Status;
    print(flags, status, formatStatus(status));
  });
  add('reload', 'follow the configuration and the repository').action(async (flags: CtlFlags) => {
    report(flags, (await new AdminClient(flags.admin).post('/reload')) as ReloadResult);
  });
  add('drain', 'replace one worker, the new one first')
    .argument('<id>', 'the id of a worker, as status shows it', workerId)
    .action(async (worker: number, flags: CtlFlags) => {
      const exchange = await new AdminClient(flags.admin).post('/drain', { worker });
      print(flags, exchange, formatExchange(exchange as WorkerExchange));
    });
  add('restart', 'replace all workers, one after another').action(async (flags: CtlFlags) => {
    const answer = await new AdminClient(flags.admin).post('/restart');
    const { workers } = answer as { workers: WorkerExchange[] };
    print(flags, answer, workers.map(formatExchange).join('\n'));
  });
  add('activate', 'make a version the active one')
    .argument('<model>')
    .argument('<version>', 'a version of the repository', positiveInteger)
    .option('--allow-signature-change', 'its inputs and outputs may differ')
    .action(
      async (
        model: string,
        version: number,
        flags: CtlFlags & { allowSignatureChange?: boolean },
      ) => {
        const { allowSignatureChange = false } = flags;
        const path = `/models/${encodeURIComponent(model)}/activate`;
        const result = await new AdminClient(flags.admin).post(path, {
          version,
          allowSignatureChange,
        });
        report(flags, result as ReloadResult);
      },
    );
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
function report(flags: CtlFlags, result: ReloadResult): void {
  print(flags, result, formatReload(result));
  if (result.changes.some((change) => change.result !== 'committed')) process.exitCode = 1;
}

export function formatReload({ generation, changes }: ReloadResult): string {
  if (changes.length === 0) return `generation ${generation}: nothing has changed`;
  const lines = changes.map(
    ({ model, from, to, result, reason }) =>
      `  ${model}: ${from ?? 'none'} → ${to ?? 'none'} ${result}${reason === undefined ? '' : `: ${reason}`}`,
  );
  return [`generation ${generation}`, ...lines].join('\n');
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
      ({ version, state, reason, bytes, loadMs, warmMs }) =>
        `    version ${version}  ${state}  ` +
        (reason ??
          `${mebibytes(bytes)}  loaded in ${loadMs.toFixed(0)} ms, warmed in ${warmMs.toFixed(0)} ms`),
    ),
  ]);
  const head = `generation ${status.generation}, up ${status.uptimeSeconds} s, listening on ${status.listen.host}:${status.listen.port}`;
  return [head, ...workers, ...models].join('\n');
}

function formatLabels(labels: Readonly<Record<string, number>>): string {
  const pairs = Object.entries(labels).map(([label, version]) => `${label}=${version}`);
  return pairs.length === 0 ? '' : `  ${pairs.join(' ')}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
