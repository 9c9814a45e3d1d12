import { z } from 'zod';
import { WarmswapError } from '../../rpc/errors.js';
import { parseExactJson } from '../../rpc/exact-json.js';
import { dataFromJson } from '../../rpc/json-tensor.js';
import { kindOf } from '../../rpc/kind-of.js';
import { isInJson, notInJson } from '../../rpc/tensor-json.js';
import { DATATYPES, type Datatype, type Tensor } from '../../rpc/tensor.js';
import { countElements, splitElements } from './bytes-elements.js';

/** An inference request of the Open Inference Protocol. Tensors may be views on the body. */
export interface HttpInferRequest {
  id?: string;
  inputs: Readonly<Record<string, Tensor>>;
  /** All if left out. */
  outputs?: readonly string[];
  /** Whether that output is answered by the binary extension. */
  isBinary: (output: string) => boolean;
  timeoutMs?: number;
  /** 0 is the most urgent, as everywhere in the daemon. */
  priority?: number;
}

const MOST_TENSORS = 1024;
const MOST_DIMENSIONS = 64;
const MOST_TIMEOUT_US = 1e12;
const MOST_ISSUES_SHOWN = 3;

const size = z.int().min(0);
const shape = z.custom<readonly number[]>(
  isShape,
  `expected at most ${MOST_DIMENSIONS} integers of at least 0`,
);

const inputSchema = z.object({
  name: z.string().min(1),
  datatype: z.enum(Object.keys(DATATYPES) as [Datatype, ...Datatype[]]),
  shape,
  parameters: z
    .object({ binary_data_size: size.optional(), shared_memory_region: notServed() })
    .optional(),
  data: z.custom<readonly unknown[]>(Array.isArray, 'expected an array').optional(),
});

const outputSchema = z.object({
  name: z.string().min(1),
  parameters: z
    .object({
      binary_data: z.boolean().optional(),
      classification: notServed(),
      shared_memory_region: notServed(),
    })
    .optional(),
});

const requestSchema = z.object({
  id: z.string().optional(),
  parameters: z
    .object({
      priority: size.max(MOST_DIMENSIONS).optional(),
      timeout: size.max(MOST_TIMEOUT_US).optional(),
      binary_data_output: z.boolean().optional(),
    })
    .optional(),
  inputs: few(inputSchema),
  outputs: few(outputSchema).optional(),
});

type Request = z.output<typeof requestSchema>;
type Input = z.output<typeof inputSchema>;

/**
 * Reads a body whose first `headerLength` bytes are JSON (all of them if left out), followed by the
 * data of the inputs that have a binary_data_size, in their order. What the protocol's extensions
 * add and this server does not know is ignored, unless the answer would be another one. Throws
 * INVALID_ARGUMENT or UNIMPLEMENTED; tensors against a model's signature are the engine's to check.
 */
export function parseInferRequest(body: Uint8Array, headerLength = body.length): HttpInferRequest {
  if (headerLength > body.length) {
    throw invalid('Inference-Header-Content-Length', `at most ${body.length}`, `${headerLength}`);
  }
  const given = parseExactJson(body.subarray(0, headerLength));
  const result = requestSchema.safeParse(given);
  if (!result.success) throw describeIssues(result.error.issues, given);
  const { id, parameters = {}, inputs, outputs = [] } = result.data;
  refuseRepeats('inputs', inputs);
  refuseRepeats('outputs', outputs);
  return {
    ...(id === undefined ? {} : { id }),
    inputs: toTensors(inputs, body.subarray(headerLength)),
    ...(outputs.length === 0 ? {} : { outputs: outputs.map(({ name }) => name) }),
    isBinary: binaryOutputs(outputs, parameters.binary_data_output ?? false),
    // As Triton has them: 0 stands for the default of both, and 1 is the highest priority.
    ...(parameters.timeout ? { timeoutMs: parameters.timeout / 1000 } : {}),
    ...(parameters.priority ? { priority: parameters.priority - 1 } : {}),
  };
}

function binaryOutputs(outputs: NonNullable<Request['outputs']>, byDefault: boolean) {
  const asked = new Map(outputs.map(({ name, parameters }) => [name, parameters?.binary_data]));
  return (output: string) => asked.get(output) ?? byDefault;
}

function toTensors(inputs: readonly Input[], binary: Uint8Array): Record<string, Tensor> {
  const tensors = Object.create(null) as Record<string, Tensor>;
  let at = 0;
  for (const input of inputs) {
    const bytes = input.parameters?.binary_data_size;
    tensors[input.name] = named(input.name, () =>
      bytes === undefined ? fromJson(input) : fromBinary(input, binary.subarray(at, at + bytes)),
    );
    at += bytes ?? 0;
  }
  if (at === binary.length) return tensors;
  throw invalid('binary data', `the ${at} bytes that the inputs name`, `${binary.length}`);
}

function fromJson({ datatype, shape, data }: Input): Tensor {
  if (!data) throw invalid('data', "an array, or parameters with 'binary_data_size'", 'nothing');
  if (!isInJson(datatype)) throw notInJson(datatype);
  const elements: readonly unknown[] = data.some(Array.isArray) ? data.flat(Infinity) : data;
  refuseOtherCount(elements.length, shape);
  if (datatype === 'BYTES') refuseNoTexts(elements);
  return { datatype, shape, data: dataFromJson(elements, datatype) };
}

function fromBinary({ datatype, shape, data, parameters }: Input, bytes: Uint8Array): Tensor {
  if (data) throw invalid('data', "none beside 'binary_data_size'", 'an array');
  const expected = parameters?.binary_data_size ?? 0;
  if (bytes.length < expected) {
    throw invalid('binary data', `${expected} bytes`, `${bytes.length} left`);
  }
  if (datatype !== 'BYTES') return { datatype, shape, data: bytes };
  refuseOtherCount(countElements(bytes), shape);
  return { datatype, shape, data: splitElements(bytes) };
}

function refuseOtherCount(got: number, shape: readonly number[]): void {
  const expected = shape.reduce((product, size) => product * size, 1);
  if (got === expected) return;
  throw invalid('data', `${expected} elements for [${shape.join(', ')}]`, `${got}`);
}

function refuseNoTexts(elements: readonly unknown[]): void {
  const wrong = elements.find((element) => typeof element !== 'string');
  if (wrong !== undefined) throw invalid('BYTES', 'Unicode texts', typeof wrong);
}

function refuseRepeats(what: string, tensors: readonly { name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw invalid(what, 'each name once', `'${name.slice(0, 64)}' again`);
    names.add(name);
  }
}

function isShape(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MOST_DIMENSIONS &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0)
  );
}

/** The bound comes first: every wrong item costs an error of its own. */
function few<Item extends z.ZodType>(item: Item) {
  const isFew = (value: unknown) => Array.isArray(value) && value.length <= MOST_TENSORS;
  return z
    .custom<unknown[]>(isFew, {
      error: ({ input }) => `expected an array of at most ${MOST_TENSORS}, got ${listKind(input)}`,
    })
    .pipe(z.array(item));
}

function listKind(value: unknown): string {
  return Array.isArray(value) ? `${value.length}` : kindOf(value);
}

function notServed() {
  return z.undefined({ error: 'not served' }).optional();
}

/** Where `read` refuses an input, its error names it. */
function named(name: string, read: () => Tensor): Tensor {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WarmswapError)) throw error;
    throw new WarmswapError(error.code, `input '${name.slice(0, 64)}': ${error.message}`);
  }
}

function describeIssues(issues: readonly z.core.$ZodIssue[], request: unknown): WarmswapError {
  const described = issues
    .slice(0, MOST_ISSUES_SHOWN)
    .map((issue) => missingMember(issue, request) ?? describeIssue(issue));
  return new WarmswapError('INVALID_ARGUMENT', described.join('; '));
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.map(String).join('.') || 'the request'}: ${message}`;
}

/** What an input lacks, with the input's name; nothing for what is not missing, or has no name. */
function missingMember({ path }: z.core.$ZodIssue, request: unknown): string | undefined {
  const [list, index, member] = path;
  if (list !== 'inputs' || typeof member !== 'string' || path.length !== 3) return undefined;
  const input = (request as { inputs: Record<string, unknown>[] }).inputs[Number(index)];
  if (!input || typeof input.name !== 'string' || input[member] !== undefined) return undefined;
  return `input '${input.name.slice(0, 64)}': ${member} is missing`;
}

function invalid(what: string, expected: string, got: string): WarmswapError {
  return new WarmswapError('INVALID_ARGUMENT', `${what}: expected ${expected}, got ${got}`);
}
