import { onnxCode } from './datatypes.js';
import type { Attribute, Graph, GraphNode, Model } from './graph.js';
import {
  serialize,
  type AttributeMessage,
  type GraphMessage,
  type NodeMessage,
  type TensorMessage,
  type TypeMessage,
  type ValueInfoMessage,
} from './schema.js';
import { byteLength, type Tensor } from './tensor.js';
import type { Dim, ValueInfo, ValueType } from './types.js';

/** Where a tensor's bytes lie in an external data file next to the model file. */
export interface Placement {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export type Placements = ReadonlyMap<Tensor, Placement>;

const EXTERNAL = 1;
const ATTRIBUTE_CODES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/**
 * The bytes of a model file: the same for the same model. Tensors in `placements` are written as
 * references to their external data, all others inline.
 */
export function encodeModel(model: Model, placements: Placements = new Map()): Uint8Array {
  return serialize({
    irVersion: model.irVersion,
    producerName: 'warmswap',
    graph: graphMessage(model.graph, placements),
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
  });
}

function graphMessage(graph: Graph, placements: Placements): GraphMessage {
  return {
    node: graph.nodes.map((node, index) => nodeMessage(node, `${node.op}_${index}`)),
    name: graph.name,
    initializer: (graph.initializers ?? []).map((t) => tensorMessage(t, placements.get(t))),
    input: graph.inputs.map(valueInfoMessage),
    output: graph.outputs.map(valueInfoMessage),
  };
}

function nodeMessage(node: GraphNode, name: string): NodeMessage {
  return {
    input: node.inputs,
    output: node.outputs,
    name,
    opType: node.op,
    attribute: Object.entries(node.attributes).map(([key, value]) => attributeMessage(key, value)),
    domain: node.domain,
  };
}

function attributeMessage(name: string, value: Attribute): AttributeMessage {
  const type = (kind: keyof typeof ATTRIBUTE_CODES) => ({ name, type: ATTRIBUTE_CODES[kind] });
  if ('float' in value) return { ...type('float'), f: value.float };
  if ('int' in value) return { ...type('int'), i: value.int };
  if ('string' in value) return { ...type('string'), s: Buffer.from(value.string) };
  if ('tensor' in value) return { ...type('tensor'), t: tensorMessage(value.tensor) };
  if ('graph' in value) return { ...type('graph'), g: graphMessage(value.graph, new Map()) };
  if ('floats' in value) return { ...type('floats'), floats: value.floats };
  if ('ints' in value) return { ...type('ints'), ints: value.ints };
  return { ...type('strings'), strings: value.strings.map((s) => Buffer.from(s)) };
}

function tensorMessage(tensor: Tensor, placement?: Placement): TensorMessage {
  const head = { dims: tensor.shape, dataType: onnxCode(tensor.datatype), name: tensor.name };
  if (placement !== undefined) {
    return { ...head, externalData: externalEntries(placement), dataLocation: EXTERNAL };
  }
  const { data } = tensor;
  if (data instanceof Uint8Array) return { ...head, rawData: data };
  if (typeof data !== 'function') return { ...head, stringData: data.map((s) => Buffer.from(s)) };
  const rawData = new Uint8Array(byteLength(tensor));
  data(rawData, 0);
  return { ...head, rawData };
}

function externalEntries({ file, offset, length }: Placement): { key: string; value: string }[] {
  return [
    { key: 'location', value: file },
    { key: 'offset', value: String(offset) },
    { key: 'length', value: String(length) },
  ];
}

function valueInfoMessage({ name, type }: ValueInfo): ValueInfoMessage {
  return { name, type: typeMessage(type) };
}

function typeMessage(type: ValueType): TypeMessage {
  switch (type.kind) {
    case 'tensor':
      return {
        tensorType: {
          elemType: onnxCode(type.datatype),
          shape: { dim: type.dims.map(dimMessage) },
        },
      };
    case 'sequence':
      return { sequenceType: { elemType: typeMessage(type.element) } };
    case 'optional':
      return { optionalType: { elemType: typeMessage(type.element) } };
    case 'map':
      return { mapType: { keyType: onnxCode(type.key), valueType: typeMessage(type.value) } };
  }
}

function dimMessage(dim: Dim): { dimValue: number } | { dimParam: string } {
  return typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim };
}
