import protobuf from 'protobufjs';

// The part of ONNX's protobuf schema that the builder writes: field numbers are ONNX's, names ours.
const SCHEMA = `
syntax = "proto2";

message Model {
  optional int64 irVersion = 1;
  optional string producerName = 2;
  optional Graph graph = 7;
  repeated OperatorSet opsetImport = 8;
}
message OperatorSet {
  optional string domain = 1;
  optional int64 version = 2;
}
message Graph {
  repeated Node node = 1;
  optional string name = 2;
  repeated Tensor initializer = 5;
  repeated ValueInfo input = 11;
  repeated ValueInfo output = 12;
}
message Node {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string opType = 4;
  repeated Attribute attribute = 5;
  optional string domain = 7;
}
message Attribute {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional Tensor t = 5;
  optional Graph g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  optional int32 type = 20;
}
message Tensor {
  repeated int64 dims = 1;
  optional int32 dataType = 2;
  repeated bytes stringData = 6;
  optional string name = 8;
  optional bytes rawData = 9;
  repeated Entry externalData = 13;
  optional int32 dataLocation = 14;
}
message Entry {
  optional string key = 1;
  optional string value = 2;
}
message ValueInfo {
  optional string name = 1;
  optional Type type = 2;
}
message Type {
  optional TensorType tensorType = 1;
  optional Element sequenceType = 4;
  optional MapType mapType = 5;
  optional Element optionalType = 9;
}
message TensorType {
  optional int32 elemType = 1;
  optional Shape shape = 2;
}
message Shape {
  repeated Dimension dim = 1;
}
message Dimension {
  optional int64 dimValue = 1;
  optional string dimParam = 2;
}
message Element {
  optional Type elemType = 1;
}
message MapType {
  optional int32 keyType = 1;
  optional Type valueType = 2;
}
`;

// The messages of SCHEMA, as the encoder fills them. Codes and enums are ONNX's numbers.

export interface ModelMessage {
  irVersion: number;
  producerName: string;
  graph: GraphMessage;
  opsetImport: { domain: string; version: number }[];
}

export interface GraphMessage {
  node: NodeMessage[];
  name: string;
  initializer: TensorMessage[];
  input: ValueInfoMessage[];
  output: ValueInfoMessage[];
}

export interface NodeMessage {
  input: readonly string[];
  output: readonly string[];
  name: string;
  opType: string;
  attribute: AttributeMessage[];
  domain: string;
}

export interface AttributeMessage {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorMessage;
  g?: GraphMessage;
  floats?: readonly number[];
  ints?: readonly number[];
  strings?: Uint8Array[];
}

export interface TensorMessage {
  dims: readonly number[];
  dataType: number;
  name: string;
  stringData?: Uint8Array[];
  rawData?: Uint8Array;
  externalData?: { key: string; value: string }[];
  dataLocation?: number;
}

export interface ValueInfoMessage {
  name: string;
  type: TypeMessage;
}

export interface TypeMessage {
  tensorType?: { elemType: number; shape: { dim: DimensionMessage[] } };
  sequenceType?: { elemType: TypeMessage };
  optionalType?: { elemType: TypeMessage };
  mapType?: { keyType: number; valueType: TypeMessage };
}

export type DimensionMessage = { dimValue: number } | { dimParam: string };

const ModelType = protobuf.parse(SCHEMA).root.lookupType('Model');

/** The bytes of a model file. Fields come in the order of their numbers: equal models, equal bytes. */
export function serialize(message: ModelMessage): Uint8Array {
  return ModelType.encode(message).finish();
}
