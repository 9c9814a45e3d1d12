import { readFileSync } from 'node:fs';
import type { ServedModel } from '../../registry/model-set.js';
import type { Version } from '../../registry/version.js';
import type { TensorSignature } from '../../rpc/tensor.js';
import { PLATFORM } from '../methods.js';

/** The protocol's metadata of server and models. */

const EXTENSIONS = ['binary_tensor_data', 'schedule_policy', 'statistics'];
const packageUrl = new URL('../../../package.json', import.meta.url);

export function serverMetadata(): object {
  return { name: 'warmswap', version: packageVersion(), extensions: EXTENSIONS };
}

/** Of a version; the other ones of its model are named. */
export function modelMetadata({ name, versions }: ServedModel, { signature }: Version): object {
  return {
    name,
    versions: [...versions.keys()].map(String),
    platform: PLATFORM,
    inputs: signature.inputs.map(tensorMetadata),
    outputs: signature.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSignature): object {
  return { name, datatype, shape };
}

let version: string | undefined;

function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(packageUrl, 'utf8')) as { version: string }).version;
  return version;
}
