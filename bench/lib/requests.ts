import { Packr } from 'msgpackr';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash32 } from '../../test/fixtures/random.js';
import { bytesOf } from '../../test/fixtures/uniform.js';
import type { BenchModel } from './models.js';
import { benchBuild } from './paths.js';

/** A request as the load generator takes it, and what a good answer to it begins with. */
export interface PreparedRequest {
  /** File with the payload. */
  path: string;
  bytes: number;
  /** Where the request number stands in request and answer, if anywhere. */
  idOffset?: number;
  /** Hexadecimal; ?? is any byte. */
  expect: string;
  expectLength?: number;
}

/** From 2^16 on MessagePack writes a msgid as `ce` and four bytes: the load generator counts there. */
const FIRST_MSGID = 0x1_0000;
const MSGID_OFFSET = 3;
/** `[1, msgid, nil, …`: a response without error. */
const RPC_SUCCESS = '9401ce????????c0';
/** `{outputs: …`, the size of the map in four bits, or, as msgpackr does it, in sixteen. */
const OUTPUTS = `a7${Buffer.from('outputs').toString('hex')}`;
const HTTP_SUCCESS = `81${OUTPUTS}`;
const MSGPACKR_HTTP_SUCCESS = `de0001${OUTPUTS}`;

const packr = new Packr({ useRecords: false });

/** A MessagePack-RPC `infer` of one or more rows. */
export function rpcRequest(model: BenchModel, rows = 1, priority?: number): PreparedRequest {
  const asked = priority === undefined ? {} : { priority };
  const params = { model: model.name, inputs: { x: inputTensor(model, rows) }, ...asked };
  const payload = packr.pack([0, FIRST_MSGID, 'infer', [params]]);
  const name = [model.name, rows, ...Object.values(asked)].join('-');
  const prepared = prepare(`${name}.rpc`, payload, RPC_SUCCESS);
  return { ...prepared, idOffset: MSGID_OFFSET };
}

/** The same frame, expected back as it is. */
export function echoed(request: PreparedRequest): PreparedRequest {
  return { ...request, expect: '9400ce', expectLength: request.bytes };
}

/** The same tensor as the body of a POST. */
export function httpRequest(model: BenchModel, rows = 1): PreparedRequest {
  const payload = packr.pack({ inputs: { x: inputTensor(model, rows) } });
  return prepare(`${model.name}-${rows}.http`, payload, HTTP_SUCCESS);
}

/** The same for a server that answers by msgpackr. */
export function httpRequestToMsgpackr(model: BenchModel, rows = 1): PreparedRequest {
  return { ...httpRequest(model, rows), expect: MSGPACKR_HTTP_SUCCESS };
}

function prepare(name: string, payload: Uint8Array, expect: string): PreparedRequest {
  const folder = join(benchBuild, 'requests');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, payload);
  return { path, bytes: payload.length, expect };
}

/** The first row of input of every prepared request, for a model in FP32. */
export function inputRow({ width }: BenchModel): Float32Array {
  return inputValues(width);
}

/** Some rows of input. */
export function inputTensor({ width, datatype }: BenchModel, rows: number) {
  const data = Buffer.from(bytesOf(inputValues(rows * width), datatype));
  return { datatype, shape: [rows, width], data };
}

function inputValues(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => hash32(i, 1) / 2 ** 31);
}
