import { Option, type Command } from 'commander';
import { readFile } from 'node:fs/promises';
import {
  connect,
  WarmswapError,
  type Client,
  type ClientOptions,
  type ModelDescription,
} from '../client/index.js';
import { toSettings } from '../client/options.js';
import { openNodeSocket } from '../client/socket-node.js';
import { durationMs, positiveInteger, priority, serverUrl } from './option-values.js';
import { UsageError } from './usage-error.js';

/** What infer and bench ask: which daemon, which version of a model, and how urgently. */
export interface TargetFlags {
  url: string;
  token?: string;
  /** A file of certificates. */
  ca?: string;
  /** At most one of `version` and `label`; neither means the active version. */
  version?: number;
  label?: string;
  /** 0 is the most urgent. */
  priority?: number;
  /** Milliseconds. */
  deadline?: number;
}

/** The options of TargetFlags. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the daemon', serverUrl, 'ws://127.0.0.1:9000')
    .option('--token <token>', 'what the daemon asks for; better as WARMSWAP_TOKEN')
    .option('--ca <file>', 'certificates in PEM to trust, for wss')
    .option('--version <n>', 'a version instead of the active one', positiveInteger)
    .addOption(new Option('--label <label>', 'the version with this label').conflicts('version'))
    .option('--priority <n>', 'how urgent it is; 0 is the most', priority)
    .option('--deadline <time>', 'how long a request may take, for example 100ms', durationMs);
}

/** Other users of the host see a token on the command line, but not one of the environment. */
const TOKEN_VARIABLE = 'WARMSWAP_TOKEN';

export type TargetCredentials = Pick<ClientOptions, 'token' | 'ca'>;

/** What a client needs to be let in. Rejects with UsageError for what cannot be used, naming the option. */
export async function targetCredentials(flags: TargetFlags): Promise<TargetCredentials> {
  const { token = process.env[TOKEN_VARIABLE], ca } = flags;
  const source = flags.token === undefined ? TOKEN_VARIABLE : '--token';
  const withToken = token === undefined ? {} : refusing(source, { token });
  return ca === undefined
    ? withToken
    : { ...withToken, ...refusing(`--ca ${ca}`, { ca: await readCertificates(ca) }) };
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca ${path}: cannot be read: ${(error as Error).message}`);
  }
}

/** The credentials, if the client library takes them. */
function refusing(source: string, credentials: TargetCredentials): TargetCredentials {
  try {
    toSettings(credentials, openNodeSocket);
    return credentials;
  } catch (error) {
    throw new UsageError(`${source}: ${(error as Error).message}`);
  }
}

const HINTS: ReadonlyMap<string, string> = new Map([
  ['UNAVAILABLE', 'start the daemon, or give --url'],
  ['UNAUTHENTICATED', `give --token or ${TOKEN_VARIABLE}`],
]);

/** A client of the daemon. Rejects as `connect`, with what to do about it. */
export async function connectTarget(
  { url }: TargetFlags,
  credentials: TargetCredentials,
): Promise<Client> {
  try {
    return await connect(url, credentials);
  } catch (error) {
    const { code, message, retryable } = error as WarmswapError;
    const hint = HINTS.get(code);
    if (hint === undefined) throw error;
    throw new WarmswapError(code, `${message}; ${hint}`, { retryable, cause: error });
  }
}

/** The description of the version that answers. A label that there is not is left to the request. */
export async function describeTarget(
  client: Client,
  model: string,
  { version, label }: TargetFlags,
): Promise<ModelDescription> {
  if (label === undefined) return client.describe(model, version);
  const listing = (await client.models()).find(({ name }) => name === model);
  return client.describe(model, listing?.labels[label]);
}

/** The params of `infer`, but for the inputs and outputs. */
export function targetParams(
  model: string,
  { version, label, priority, deadline }: TargetFlags,
): TargetParams {
  return {
    model,
    ...(version !== undefined && { version }),
    ...(label !== undefined && { label }),
    ...(priority !== undefined && { priority }),
    ...(deadline !== undefined && { deadlineMs: deadline }),
  };
}

export interface TargetParams {
  model: string;
  version?: number;
  label?: string;
  priority?: number;
  deadlineMs?: number;
}
