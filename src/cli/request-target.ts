import { Option, type Command } from 'commander';
import type { Client, ModelDescription } from '../client/index.js';
import { durationMs, positiveInteger, priority, serverUrl } from './option-values.js';

/** What infer and bench ask: which daemon, which version of a model, and how urgently. */
export interface TargetFlags {
  url: string;
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
    .option('--version <n>', 'a version instead of the active one', positiveInteger)
    .addOption(new Option('--label <label>', 'the version with this label').conflicts('version'))
    .option('--priority <n>', 'how urgent it is; 0 is the most', priority)
    .option('--deadline <time>', 'how long a request may take, for example 100ms', durationMs);
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
