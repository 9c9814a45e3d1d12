import type { Datatype } from './datatypes.js';

/** A fixed dimension, or the name of a free one. */
export type Dim = number | string;

/** The type of a value of a graph; mirrors ONNX's `TypeProto`. */
export type ValueType =
  | { readonly kind: 'tensor'; readonly datatype: Datatype; readonly dims: readonly Dim[] }
  | { readonly kind: 'sequence' | 'optional'; readonly element: ValueType }
  | { readonly kind: 'map'; readonly key: Datatype; readonly value: ValueType };

/** A named input or output of a graph. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ValueType;
}

/** A tensor type; `dims` [] is a scalar. */
export function tensorType(datatype: Datatype, dims: readonly Dim[]): ValueType {
  return { kind: 'tensor', datatype, dims };
}

/** A list of values of one type. */
export function sequenceType(element: ValueType): ValueType {
  return { kind: 'sequence', element };
}

/** A tensor or sequence that may be absent. */
export function optionalType(element: ValueType): ValueType {
  return { kind: 'optional', element };
}

/** A map type; ONNX allows integer datatypes and BYTES as keys. */
export function mapType(key: Datatype, value: ValueType): ValueType {
  return { kind: 'map', key, value };
}

/** Declares a tensor. */
export function valueInfo(name: string, datatype: Datatype, dims: readonly Dim[]): ValueInfo {
  return { name, type: tensorType(datatype, dims) };
}

/** Declares a value of any type. */
export function typedValueInfo(name: string, type: ValueType): ValueInfo {
  return { name, type };
}
