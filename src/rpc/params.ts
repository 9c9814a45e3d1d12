import { WarmswapError } from './errors.js';
import { EVENT_TYPES, isEventType, type EventType } from './events.js';
import { kindOf } from './kind-of.js';
import type { DescribeParams, InferParams } from './methods.js';
import { DATATYPES, isDatatype, type Tensor } from './tensor.js';

/**
 * Params as they came off the wire, made typed. Each function throws INVALID_ARGUMENT, naming what
 * was expected and what came. Lengths and shapes against a model's signature are the engine's.
 */

const INFER_KEYS: readonly string[] = [
  ...['model', 'version', 'label', 'key'],
  ...['inputs', 'outputs', 'deadlineMs', 'priority'],
];
const DESCRIBE_KEYS: readonly string[] = ['model', 'version'];
const CANCEL_KEYS: readonly string[] = ['msgid'];
const SUBSCRIBE_KEYS: readonly string[] = ['events'];
const TENSOR_KEYS: readonly string[] = ['datatype', 'shape', 'data'];

type Fields = Readonly<Record<string, unknown>>;

export function parseInferParams(params: readonly unknown[]): InferParams {
  const fields = onlyObject(params, 'infer', INFER_KEYS);
  const parsed: InferParams = {
    model: name(fields.model, 'model'),
    inputs: tensors(fields.inputs),
  };
  if (fields.version !== undefined) parsed.version = version(fields.version);
  if (fields.label !== undefined) parsed.label = name(fields.label, 'label');
  if (parsed.version !== undefined && parsed.label !== undefined) {
    throw new WarmswapError('INVALID_ARGUMENT', "give 'version' or 'label', not both");
  }
  if (fields.outputs !== undefined) parsed.outputs = outputNames(fields.outputs);
  if (fields.deadlineMs !== undefined) parsed.deadlineMs = deadline(fields.deadlineMs);
  if (fields.priority !== undefined) parsed.priority = priority(fields.priority);
  // Requests of one key get the same version, as do all: there is one to choose.
  if (fields.key !== undefined) name(fields.key, 'key');
  return parsed;
}

/** The msgid of the request to cancel. */
export function parseCancelParams(params: readonly unknown[]): number {
  const { msgid } = onlyObject(params, 'cancel', CANCEL_KEYS);
  if (isDimension(msgid)) return msgid as number;
  throw invalid("'msgid'", 'an integer of at least 0', kindOf(msgid));
}

export function parseDescribeParams(params: readonly unknown[]): DescribeParams {
  const fields = onlyObject(params, 'describe', DESCRIBE_KEYS);
  const model = name(fields.model, 'model');
  return fields.version === undefined ? { model } : { model, version: version(fields.version) };
}

/** The types of events of `subscribe` and `unsubscribe`. */
export function parseEventTypes(params: readonly unknown[], method: string): EventType[] {
  const { events } = onlyObject(params, method, SUBSCRIBE_KEYS);
  const isTypes = Array.isArray(events) && events.length > 0 && events.every(isEventType);
  if (isTypes) return events;
  throw invalid(
    "'events'",
    `an array of at least one of ${EVENT_TYPES.join(', ')}`,
    kindOf(events),
  );
}

/** For methods whose params are `{}` or left out. */
export function parseNoParams(params: readonly unknown[], method: string): void {
  if (params.length > 0) onlyObject(params, method, []);
}

function onlyObject(params: readonly unknown[], method: string, keys: readonly string[]): Fields {
  if (params.length !== 1) {
    throw invalid(`the params of '${method}'`, 'one map', `${params.length} values`);
  }
  return object(params[0], `the params of '${method}'`, keys);
}

function object(
  value: unknown,
  what: string,
  keys?: readonly string[],
  expected = 'a map',
): Fields {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap || value instanceof Uint8Array) throw invalid(what, expected, kindOf(value));
  if (keys) {
    for (const key in value) {
      if (!keys.includes(key)) throw invalid(what, expectedKeys(keys), `'${key.slice(0, 64)}'`);
    }
  }
  return value as Fields;
}

function expectedKeys(keys: readonly string[]): string {
  return keys.length === 0 ? 'no keys' : `keys of ${keys.join(', ')}`;
}

function tensors(value: unknown): Record<string, Tensor> {
  const parsed: Record<string, Tensor> = {};
  const fields = object(value, "'inputs'", undefined, 'a map of tensors');
  for (const key in fields) parsed[key] = tensor(fields[key], key);
  return parsed;
}

function tensor(value: unknown, key: string): Tensor {
  const what = `input '${key}'`;
  const { datatype, shape, data } = object(value, what, TENSOR_KEYS);
  if (!isDatatype(datatype)) {
    throw invalid(`${what}: datatype`, Object.keys(DATATYPES).join(', '), kindOf(datatype));
  }
  if (!Array.isArray(shape) || !shape.every(isDimension)) {
    throw invalid(`${what}: shape`, 'an array of integers of at least 0', kindOf(shape));
  }
  return { datatype, shape: shape as readonly number[], data: tensorData(datatype, data, what) };
}

function tensorData(datatype: string, data: unknown, what: string): Tensor['data'] {
  if (datatype !== 'BYTES') {
    if (data instanceof Uint8Array) return data;
    throw invalid(`${what}: data`, 'bin', kindOf(data));
  }
  if (Array.isArray(data) && data.every(isBytesElement))
    return data as readonly (Uint8Array | string)[];
  throw invalid(`${what}: data of BYTES`, 'an array of bin or str', kindOf(data));
}

function isBytesElement(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array;
}

function isDimension(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function name(value: unknown, key: string): string {
  if (typeof value !== 'string' || value === '')
    throw invalid(`'${key}'`, 'a string', kindOf(value));
  return value;
}

function version(value: unknown): number {
  if (isDimension(value) && (value as number) > 0) return value as number;
  throw invalid("'version'", 'a positive integer', kindOf(value));
}

function outputNames(value: unknown): readonly string[] {
  const isNames = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!isNames || value.length === 0) {
    throw invalid("'outputs'", 'an array of at least one string', kindOf(value));
  }
  if (new Set(value).size < value.length) {
    throw invalid("'outputs'", 'each name once', kindOf(value));
  }
  return value;
}

function deadline(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1e9) return value;
  throw invalid("'deadlineMs'", 'a number above 0, at most 1e9', kindOf(value));
}

function priority(value: unknown): number {
  if (isDimension(value)) return value as number;
  throw invalid("'priority'", 'an integer of at least 0', kindOf(value));
}

function invalid(what: string, expected: string, got: string): WarmswapError {
  return new WarmswapError('INVALID_ARGUMENT', `${what}: expected ${expected}, got ${got}`);
}
