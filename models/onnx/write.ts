import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { encodeModel, type Placement, type Placements } from './encode.js';
import type { Model } from './graph.js';
import { byteLength, type Tensor } from './tensor.js';

export interface ExternalDataOptions {
  /** Name of the data file, next to model.onnx. */
  readonly file: string;
  /** Smaller initializers stay inline; default 1024. */
  readonly minBytes?: number;
  /** Every tensor's offset is a multiple of this, in bytes; default 4096. */
  readonly alignment?: number;
}

export interface WriteOptions {
  /** Moves the initializers of the main graph (never those of inner graphs) out of model.onnx. */
  readonly externalData?: ExternalDataOptions;
}

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Writes `dir`/model.onnx, and its external data file if one is asked for. Needs a few MiB of memory
 * for external data of any size if the tensors' data are fill functions.
 */
export function writeModel(dir: string, model: Model, { externalData }: WriteOptions = {}): void {
  mkdirSync(dir, { recursive: true });
  const placements = externalData
    ? placeTensors(model, externalData)
    : new Map<Tensor, Placement>();
  if (externalData) writeExternalData(join(dir, externalData.file), placements);
  writeFileSync(join(dir, 'model.onnx'), encodeModel(model, placements));
}

function placeTensors(model: Model, options: ExternalDataOptions): Placements {
  const { file, minBytes = 1024, alignment = 4096 } = options;
  const placements = new Map<Tensor, Placement>();
  let end = 0;
  for (const tensor of model.graph.initializers ?? []) {
    if (tensor.datatype === 'BYTES' || byteLength(tensor) < minBytes) continue;
    const offset = Math.ceil(end / alignment) * alignment;
    const length = byteLength(tensor);
    placements.set(tensor, { file, offset, length });
    end = offset + length;
  }
  return placements;
}

function writeExternalData(path: string, placements: Placements): void {
  const fd = openSync(path, 'w');
  try {
    const scratch = new Uint8Array(CHUNK_BYTES);
    for (const [tensor, { offset }] of placements) writeTensor(fd, tensor, offset, scratch);
  } finally {
    closeSync(fd);
  }
}

function writeTensor(fd: number, tensor: Tensor, offset: number, scratch: Uint8Array): void {
  const { data } = tensor;
  if (data instanceof Uint8Array) return writeFully(fd, data, offset);
  if (typeof data !== 'function') throw new TypeError(`${tensor.name}: strings cannot be external`);
  const length = byteLength(tensor);
  for (let done = 0; done < length; done += scratch.length) {
    const chunk = scratch.subarray(0, Math.min(scratch.length, length - done));
    data(chunk, done);
    writeFully(fd, chunk, offset + done);
  }
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
