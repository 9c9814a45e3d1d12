import type { EngineResult } from '../native/engine.js';
import { describeTensor, type Tensor } from '../rpc/tensor.js';
import { generateInputs } from './generated-inputs.js';
import type { VersionOptions } from './plan.js';
import { nanProblem } from './nan-check.js';
import { readRequestFiles, type FileRequest } from './request-file.js';
import { batchOf, rowBytes, rowCount, rowGroups, type RowGroup } from './row-batches.js';
import { inputsMismatch } from './signature.js';
import type { Version, WarmUpSource } from './version.js';

type Inputs = Readonly<Record<string, Tensor>>;

interface WarmUpRequests {
  source: WarmUpSource;
  /** Of all of them, as in "3 rows of what". */
  what: string;
  requests: readonly { what: string; inputs: Inputs }[];
}

interface Step {
  what: string;
  inputs: Inputs;
}

/** As much as a message may have by default. */
const MOST_BATCH_BYTES = 64 * 2 ** 20;

/**
 * Runs a version before it serves, so that no client meets a first, slow run: requests that `active`
 * has answered and that fit, else the files of the version, else zeros; and, where it has batching,
 * their rows in batches of every size. `maxDurationMs` ends it early, though not before the first
 * two sizes, or the first request, have run. The first request of each form runs `runs` times, those
 * like it once. Notes the source, the problem if it fails, and where it gives NaN that `active` does
 * not; a file that cannot be used is a problem whatever the source.
 */
export async function warmUp(version: Version, active: Version | undefined): Promise<void> {
  const { runs, maxDurationMs } = version.plan.options.warmup;
  if (runs === 0) return;
  const ends = performance.now() + maxDurationMs;
  version.warmUpSource = 'files';
  try {
    const files = await readRequestFiles(version.plan.warmupFiles ?? [], version.signature.inputs);
    const requests = recorded(version, active) ?? fromFiles(files) ?? generated(version);
    version.warmUpSource = requests.source;
    const { required, optional } = steps(requests, version.plan.options);
    const known = new Set<string>();
    const rehearse = async (step: Step) => {
      const { outputs } = await repeat(version, step, isNew(step, known) ? runs : 1, ends);
      version.nanProblem ??= await nanProblem(step, outputs, active);
    };
    for (const step of required) await rehearse(step);
    for (const step of optional) {
      if (performance.now() >= ends) return;
      await rehearse(step);
    }
  } catch (error) {
    version.warmUpProblem = (error as Error).message;
  }
}

function recorded(version: Version, active: Version | undefined): WarmUpRequests | undefined {
  const fitting = (active?.recorder.requests() ?? []).filter(
    (inputs) => inputsMismatch(inputs, version.signature.inputs) === undefined,
  );
  if (!active || fitting.length === 0) return undefined;
  const what = `that version ${active.number}, the active one, has answered,`;
  const requests = fitting.map((inputs) => ({ what: `a request ${what}`, inputs }));
  return { source: 'recorded', what: `requests ${what}`, requests };
}

function fromFiles(files: readonly FileRequest[]): WarmUpRequests | undefined {
  if (files.length === 0) return undefined;
  const requests = files.map(({ path, inputs }) => ({ what: `the file ${path}:`, inputs }));
  return { source: 'files', what: 'the files in warmup:', requests };
}

function generated(version: Version): WarmUpRequests {
  const inputs = generateInputs(version.signature.inputs, version.plan.options.warmup.shapes);
  const what = 'zeros for';
  return { source: 'generated', what, requests: [{ what, inputs }] };
}

/** What runs in any case, and what runs while there is time; made as it is needed. */
function steps({ what, requests }: WarmUpRequests, options: VersionOptions) {
  const groups = options.batching ? rowGroups(requests.map(({ inputs }) => inputs)) : [];
  const [first, ...others] = groups;
  if (!first) return { required: requests.slice(0, 1), optional: requests.slice(1) };
  const sizes = batchSizes(options);
  const urgent = sizes.slice(0, 2);
  return {
    required: batches(what, urgent, [first]),
    optional: inTurn(
      // A request alone is the batch of its rows.
      requests.filter(({ inputs }) => requests.length > 1 || !sizes.includes(rowCount(inputs))),
      batches(what, urgent, others),
      batches(what, sizes.slice(2), groups),
    ),
  };
}

/** The largest and the smallest come first. */
function batchSizes({ warmup, batching }: VersionOptions): readonly number[] {
  const most = batching?.maxBatch ?? 1;
  return warmup.batchSizes ?? [most, ...Array.from({ length: most - 1 }, (_, i) => i + 1)];
}

function* batches(
  what: string,
  sizes: readonly number[],
  groups: readonly RowGroup[],
): Generator<Step> {
  for (const size of sizes) {
    for (const group of groups) {
      if (size * rowBytes(group) > MOST_BATCH_BYTES) continue;
      yield { what: `${size} rows of ${what}`, inputs: batchOf(group, size) };
    }
  }
}

function* inTurn<T>(...lists: readonly Iterable<T>[]): Generator<T> {
  for (const list of lists) yield* list;
}

/** Whether no step of its datatypes and shapes was asked about before. */
function isNew({ inputs }: Step, known: Set<string>): boolean {
  const form = JSON.stringify(
    Object.entries(inputs).map(([name, { datatype, shape }]) => [name, datatype, shape]),
  );
  const isUnknown = !known.has(form);
  known.add(form);
  return isUnknown;
}

/** At least once; gives the last answer, rejects with what failed and the remedy. */
async function repeat(
  version: Version,
  { what, inputs }: Step,
  runs: number,
  ends: number,
): Promise<EngineResult> {
  try {
    let run = 0;
    let answer: EngineResult;
    do answer = await version.infer({ inputs });
    while (++run < runs && performance.now() < ends);
    return answer;
  } catch (error) {
    const used = Object.entries(inputs).map(
      ([name, tensor]) => `${name} ${describeTensor(tensor)}`,
    );
    const problem = `warm-up failed with ${what} ${used.join(', ')}: ${(error as Error).message}`;
    throw new Error(`${problem}. ${remedy(version)}`, { cause: error });
  }
}

function remedy({ warmUpSource }: Version): string {
  const isGuess = warmUpSource === 'generated';
  const shapes = isGuess
    ? 'If the model needs other shapes, set warmup.shapes in model.yaml; '
    : '';
  return `${shapes}warmup.runs: 0 turns the warm-up off`;
}
