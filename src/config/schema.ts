import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { cudaDefaults, cudaOfModel } from './cuda.js';
import { daemonDevice, modelDevice } from './device.js';
import { digest } from './digest.js';
import { adminToken, tokenList } from './tokens.js';
import { duration, size } from './units.js';

/** warmswap.yaml and model.yaml. Every default stands here. Unknown keys are refused. */

const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_DELAY_MS = 10_000;
const MAX_POLL_MS = 1;
const timeout = duration.refine((ms) => ms > 0 && ms <= MAX_TIMER_MS, 'expected 1us to 24 days');
const window = duration.refine((ms) => ms <= MAX_TIMER_MS, 'expected 0 to 24 days');
const delay = duration.refine((ms) => ms <= MAX_DELAY_MS, 'expected 0 to 10s');
const portText = 'expected a port, 0 to 65535';
const port = z.int(portText).min(0, portText).max(65_535, portText);
const positive = z.int().min(1);
const MAX_RATE = 1e9;
const MIN_IDLE_MS = 8_000;
const MAX_IDLE_MS = 960_000;

/** When a worker counts as hung, or as crashing in a loop. */
const health = z
  .strictObject({
    heartbeatInterval: timeout.prefault('1s'),
    heartbeatTimeout: timeout.prefault('10s'),
    joinTimeout: timeout.prefault('10m'),
    crashLimit: positive.default(5),
    crashWindow: timeout.prefault('60s'),
  })
  .refine(({ heartbeatInterval, heartbeatTimeout }) => heartbeatTimeout >= 2 * heartbeatInterval, {
    path: ['heartbeatTimeout'],
    error: 'expected at least twice the heartbeatInterval',
  });

const workersText = 'expected auto, 1 to 1024, or { min, max }';
const workerNumber = (text: string) => z.int(text).min(1, text).max(1024, text);
const workerBound = workerNumber('expected 1 to 1024');

/** A fixed number, or between two as the load asks for. */
const workers = z
  .union(
    [
      z.literal('auto'),
      workerNumber(workersText),
      z.strictObject({
        min: workerBound,
        max: workerBound,
        upAfter: timeout.prefault('5s'),
        downAfter: timeout.prefault('60s'),
      }),
    ],
    { error: workersText },
  )
  .refine((value) => typeof value !== 'object' || value.min <= value.max, {
    error: 'expected min to be at most max',
  });

/** The user's cache folder, as the XDG base directory specification has it. */
function defaultStore(): string {
  const cache = process.env.XDG_CACHE_HOME ?? '';
  return join(cache.startsWith('/') ? cache : join(homedir(), '.cache'), 'warmswap');
}

function folderAlone(value: unknown): unknown {
  return typeof value === 'string' ? { path: value } : value;
}

const storeSettings = z.strictObject({
  path: z.string().min(1).default(defaultStore),
  maxBytes: size.pipe(positive).prefault('64GiB'),
});

const originText = 'expected an origin such as https://app.example, or *';

/** As browsers name it: without a path, and without the port that is the scheme's own. */
const origin = z
  .string({ error: originText })
  .refine((text) => text === '*' || isOrigin(text), originText)
  .toLowerCase();

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s*]+$/i.test(text)) return false;
  const { origin } = URL.canParse(text) ? new URL(text) : {};
  return origin === 'null' || origin === text.toLowerCase();
}

const hostName = z
  .string()
  .regex(
    /^(\*|[^\s:/?#@[\]]+)$/,
    'expected a name such as inference.internal, without a port, or *',
  );

const limits = z.strictObject({
  maxMessageBytes: size.pipe(positive.max(2 ** 30)).prefault('64MiB'),
  maxConnections: positive.default(10_000),
  maxInflightPerConnection: positive.default(256),
  maxBufferedBytesPerConnection: size.pipe(positive.max(2 ** 31 - 1)).prefault('64MiB'),
  /** Of a WebSocket; 0: for ever. uWebSockets counts in steps of 4 s. */
  idleTimeout: duration
    .refine((ms) => ms === 0 || (ms >= MIN_IDLE_MS && ms <= MAX_IDLE_MS), 'expected 0 or 8s to 16m')
    .prefault('120s'),
  /** Of the whole body of a request over HTTP. */
  bodyTimeout: timeout.prefault('300s'),
  /** Requests of one client; none: as many as it likes. */
  rate: z
    .strictObject({
      perSecond: z.number().positive().max(MAX_RATE),
      /** So many at once; what a second brings if left out. */
      burst: positive.max(MAX_RATE).optional(),
    })
    .optional(),
});

export const daemonSchema = z.strictObject({
  models: z.string().min(1),
  /** Either the folder alone, or with the bound. */
  store: z.preprocess(folderAlone, storeSettings).prefault({}),
  /** Where the checkpoint is kept; a folder in the store if left out. */
  state: z.string().min(1).optional(),
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(9000),
      /** Web pages that may call. Left out: those of this host. */
      origins: z.array(origin).max(1000).optional(),
      /** Names by which clients may ask beside addresses and localhost, where no token is asked for. */
      allowedHosts: z.array(hostName).max(1000).optional(),
      /** Files in PEM. */
      tls: z
        .strictObject({
          cert: z.string().min(1),
          key: z.string().min(1),
          minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
        })
        .optional(),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(9001),
      /** The SHA-256 of one more token with the scope admin. */
      token: adminToken.optional(),
    })
    .prefault({}),
  auth: z
    .strictObject({
      /** Without one of a scope, whoever reaches the port of that scope may call. */
      tokens: tokenList,
      insecure: z.boolean().default(false),
    })
    .prefault({}),
  workers: workers.default('auto'),
  device: daemonDevice.default('auto'),
  /** Of models on GPUs, unless their model.yaml says otherwise. */
  cuda: cudaDefaults.prefault({}),
  /** One copy of the weights in a GPU's memory for all workers there; not measured on a GPU yet. */
  gpu: z.strictObject({ shareWeights: z.boolean().default(false) }).prefault({}),
  /** A libonnxruntime.so to use instead of the one that is shipped. */
  ortLibrary: z.string().min(1).optional(),
  /** Reload when a version is published. */
  watch: z.boolean().default(false),
  limits: limits.prefault({}),
  /** How long a worker looks for the next request before it sleeps, where requests come that soon. */
  busyPoll: duration.refine((ms) => ms <= MAX_POLL_MS, 'expected 0 to 1ms').prefault('50us'),
  /** Threads that serve, and take little of a core, go before all others where the system permits it. */
  realTime: z.boolean().default(true),
  swap: z
    .strictObject({
      /** Of one version. */
      packTimeout: timeout.prefault('30m'),
      prepareTimeout: timeout.prefault('120s'),
      drainTimeout: timeout.prefault('30s'),
      /** How long the version before the active one stays ready; 0: not at all. */
      rollbackWindow: window.prefault('300s'),
      /** What goes first where versions are replaced: the load of the new, or the unload of the old. */
      strategy: z.enum(['load-first', 'unload-first']).default('load-first'),
    })
    .prefault({}),
  health: health.prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') })
    .prefault({}),
});

/** The whole configuration of a daemon, with every default filled in. */
export type DaemonConfig = z.output<typeof daemonSchema>;
export type SwapStrategy = DaemonConfig['swap']['strategy'];

const version = positive.max(Number.MAX_SAFE_INTEGER);
/** The name of a label. */
export const label = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'expected a letter, then letters, digits, _ and -');

const warmup = z.strictObject({
  runs: z.int().min(0).max(1000).default(3),
  shapes: z.record(z.string(), z.array(z.int().min(0))).default({}),
  /** Default: every size that batching can make. */
  batchSizes: z.array(positive).min(1).optional(),
  maxDuration: timeout.prefault('10s'),
});

const versionNumber = z.string().regex(/^[1-9]\d{0,14}$/, 'expected the number of a version');

const modelSettings = z.strictObject({
  versions: z
    .union(
      [
        z.literal('latest'),
        z.strictObject({ latest: positive }),
        z.literal('all'),
        z.array(version).min(1),
      ],
      { error: 'expected latest, { latest: N }, all or a list of versions' },
    )
    .default('latest'),
  active: version.optional(),
  labels: z.record(label, version).default({}),
  /** By version, what its model.onnx must hash to. */
  sha256: z.record(versionNumber, digest).default({}),
  queue: z
    .strictObject({
      maxSize: positive.max(1_000_000).default(1024),
      deadline: timeout.optional(),
      priorities: positive.max(16).default(3),
    })
    .prefault({}),
  batching: z
    .strictObject({ maxBatch: z.int().min(2).max(65_536), maxDelay: delay.default(0) })
    .optional(),
  /** Left out: as suits the device. */
  instances: positive.max(64).optional(),
  threads: z
    .strictObject({ intraOp: positive.max(1024).optional(), spinning: z.boolean().default(false) })
    .prefault({}),
  execution: z.enum(['auto', 'inline', 'threaded']).default('auto'),
  device: modelDevice.default('auto'),
  /** Where it runs on a GPU; what is left out is as warmswap.yaml has it. */
  cuda: cudaOfModel.prefault({}),
  quickStart: z.boolean().default(true),
  /** Of a version that fails; none: its requests run whatever happens. */
  breaker: z
    .strictObject({
      errorRatio: z.number().gt(0).max(1).default(0.5),
      minRequests: positive.max(1_000_000).default(20),
      window: timeout.prefault('10s'),
      cooldown: timeout.prefault('5s'),
      fallback: z.union([label, version], { error: 'expected a label or a version' }).optional(),
    })
    .optional(),
  warmup: warmup.prefault({}),
});

export const modelSchema = modelSettings.superRefine(({ batching, warmup }, context) => {
  const most = batching?.maxBatch ?? 0;
  const wrong = (warmup.batchSizes ?? []).findIndex((size) => size > most);
  if (wrong < 0) return;
  const expected = batching ? `1 to batching.maxBatch, ${most}` : 'none without batching';
  const message = `expected ${expected}, got ${warmup.batchSizes?.[wrong]}`;
  context.addIssue({ code: 'custom', path: ['warmup', 'batchSizes', wrong], message });
});

/** One model's model.yaml, with every default filled in. */
export type ModelConfig = z.output<typeof modelSchema>;
