import type { Tensor } from './tensor.js';
import type { ValueInfo } from './types.js';

/** An attribute's value; its only key says which of ONNX's attribute types it has. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: Tensor }
  | { readonly graph: Graph }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One operation. An empty string among the inputs leaves out an optional one. */
export interface GraphNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A graph; its nodes stand in topological order. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly GraphNode[];
  readonly initializers?: readonly Tensor[];
}

export interface Model {
  readonly graph: Graph;
  readonly irVersion: number;
  /** Operator set version by domain; '' is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
}

export interface ModelOptions {
  readonly graph: Graph;
  /** Version of ONNX's own operator set. */
  readonly opset?: number;
  /** Versions of the operator sets of other domains, such as `ai.onnx.ml`. */
  readonly otherOpsets?: Readonly<Record<string, number>>;
}

// ORT 1.21 and later load these; at 17 the CUDA provider knows every operator that we use.
const IR_VERSION = 10;
const OPSET = 17;

/** An operation of ONNX's own operator set, or of `domain`. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
  domain = '',
): GraphNode {
  return { op, domain, inputs, outputs, attributes };
}

/** A model of IR version 10, by default with operator set 17. */
export function model({ graph, opset = OPSET, otherOpsets = {} }: ModelOptions): Model {
  return { graph, irVersion: IR_VERSION, opsets: { '': opset, ...otherOpsets } };
}
