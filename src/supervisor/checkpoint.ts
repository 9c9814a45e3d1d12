import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { DaemonConfig } from '../config/schema.js';
import type { GenerationPlan } from '../registry/plan.js';

/** The one file from which a daemon that was killed comes back to what it served. */

/** Raised when older programs' checkpoints cannot be followed any more. */
const FORMAT = 1;
const FILE_NAME = /^[0-9a-f]{16}\.json$/;
const ABANDONED_AFTER_MS = 30 * 24 * 3600 * 1000;

export interface Checkpoint {
  /**
   * `committing`: decided, and perhaps some workers serve it; `committed`: all do; `stopped`: the
   * daemon has ended in good order, and its next start follows the repository.
   */
  phase: 'committing' | 'committed' | 'stopped';
  plan: GenerationPlan;
}

/** Which daemon a checkpoint belongs to; there is one file for each. */
export interface DaemonIdentity {
  /** Absolute path of the repository. */
  models: string;
  host: string;
  port: number;
}

const counter = z.int().min(0);
const versionNumber = z.int().min(1);

/** What a worker cannot do without; further members are kept as they are. */
const versionShape = z.looseObject({
  version: versionNumber,
  modelPath: z.string().startsWith('/'),
  fingerprint: z.string(),
  key: z.string(),
  artifact: z
    .looseObject({
      form: z.enum(['prepacked', 'external', 'inline']),
      bytes: z.number(),
      loadBytes: z.number(),
      privateBytes: z.number(),
      unpackedSlowdown: z.number(),
    })
    .optional(),
  options: z.looseObject({
    queueCapacity: counter,
    priorities: counter,
    execution: z.enum(['auto', 'inline', 'threaded']),
    instances: counter,
    threads: z.looseObject({ intraOp: counter, spinning: z.boolean() }),
    quickStart: z.boolean(),
    warmup: z.looseObject({ runs: counter, maxDurationMs: z.number() }),
  }),
});

const modelShape = z
  .looseObject({
    name: z.string().min(1),
    active: versionNumber,
    labels: z.record(z.string(), versionNumber),
    versions: z.array(versionShape),
    previous: versionNumber.optional(),
    chosen: z.array(versionNumber).optional(),
  })
  .refine(({ active, labels, versions }) =>
    [active, ...Object.values(labels)].every((number) =>
      versions.some(({ version }) => version === number),
    ),
  );

const versionOrNone = versionNumber.nullable();

const choicesShape = z.looseObject({
  activation: z
    .looseObject({
      version: versionNumber,
      newestKnown: versionNumber,
      allowSignatureChange: z.boolean(),
    })
    .optional(),
  labels: z
    .record(z.string(), z.looseObject({ version: versionOrNone, inFile: versionOrNone }))
    .optional(),
  loaded: z.array(versionNumber).optional(),
  unloaded: z.array(versionNumber).optional(),
  isUnloaded: z.literal(true).optional(),
});

const planShape = z.looseObject({
  generation: counter,
  models: z.array(modelShape),
  choices: z.record(z.string(), choicesShape).optional(),
});

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  daemon: z.strictObject({ models: z.string(), host: z.string(), port: z.number() }),
  phase: z.enum(['committing', 'committed', 'stopped']),
  plan: z.custom<GenerationPlan>(
    (value) => planShape.safeParse(value).success,
    'expected a generation whose active and labelled versions are among its versions, and choices',
  ),
});

/** Where this daemon's checkpoint lies, beside those of others. */
export function stateFolder({ state, store }: Pick<DaemonConfig, 'state' | 'store'>): string {
  return state ?? join(store.path, 'state');
}

export function checkpointPath(folder: string, { models, host, port }: DaemonIdentity): string {
  const identity = JSON.stringify([models, host, port]);
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 16);
  return join(folder, `${name}.json`);
}

/** Nothing if there is none. Throws if there is one that cannot be followed. */
export function readCheckpoint(folder: string, daemon: DaemonIdentity): Checkpoint | undefined {
  const text = readIfThere(checkpointPath(folder, daemon));
  if (text === undefined) return undefined;
  const parsed = fileSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { phase, plan, ...file } = parsed.data;
  if (checkpointPath(folder, file.daemon) !== checkpointPath(folder, daemon)) {
    throw new Error(`it belongs to the daemon ${JSON.stringify(file.daemon)}`);
  }
  return { phase, plan };
}

/**
 * When this returns, the checkpoint is on the disk; whatever happens before, the old one is there,
 * whole. Blocks for that, because nothing of a commit may overtake it. Throws if it cannot be written.
 */
export function writeCheckpoint(
  folder: string,
  daemon: DaemonIdentity,
  { phase, plan }: Checkpoint,
): void {
  const path = checkpointPath(folder, daemon);
  const text = JSON.stringify({ format: FORMAT, daemon, phase, plan });
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${text}\n`, { flush: true });
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Removes what daemons have left whose repository is gone, once nobody has touched it for long. */
export function removeAbandoned(folder: string, now: number): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((known) => FILE_NAME.test(known))) {
    const path = join(folder, name);
    if (now - statSync(path).mtimeMs > ABANDONED_AFTER_MS && hasLostRepository(path)) {
      unlinkSync(path);
    }
  }
}

/** What is no checkpoint is somebody else's. */
function hasLostRepository(path: string): boolean {
  try {
    const { daemon } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return !existsSync(daemon.models);
  } catch {
    return false;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
