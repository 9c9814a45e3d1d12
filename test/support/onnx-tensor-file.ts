import { readFile } from 'node:fs/promises';
import protobuf from 'protobufjs';
import type { Datatype } from '../../src/client/index.js';
import { DATATYPES } from '../../src/rpc/tensor.js';

/** Reads ONNX's TensorProto files (`input_0.pb`), as its backend tests have them. */

const TensorProto = protobuf
  .parse(
    `
syntax = "proto2";
message TensorProto {
  repeated int64 dims = 1;
  optional int32 dataType = 2;
  optional bytes rawData = 9;
}`,
  )
  .root.lookupType('TensorProto');

/** Values of TensorProto.DataType. */
const DATATYPE_CODES: Readonly<Record<number, Datatype>> = { 1: 'FP32', 6: 'INT32', 7: 'INT64' };

export interface TensorFile {
  datatype: Datatype;
  shape: number[];
  data: Uint8Array;
}

export async function readTensorFile(path: string): Promise<TensorFile> {
  const message = TensorProto.decode(await readFile(path));
  const { dims, dataType, rawData } = TensorProto.toObject(message, {
    longs: Number,
    arrays: true,
    defaults: true,
  }) as { dims: number[]; dataType: number; rawData: Uint8Array };
  const datatype = DATATYPE_CODES[dataType];
  const count = dims.reduce((product, size) => product * size, 1);
  if (!datatype || rawData.length !== count * DATATYPES[datatype]) {
    throw new Error(`${path}: a tensor of type ${dataType} without raw data`);
  }
  return { datatype, shape: dims, data: new Uint8Array(rawData) };
}
