/** Builds ONNX models and writes them to disk. */
export { DATATYPES, bytesPerElement, onnxCode, type Datatype } from './datatypes.js';
export { encodeModel } from './encode.js';
export {
  model,
  node,
  type Attribute,
  type Attributes,
  type Graph,
  type GraphNode,
  type Model,
  type ModelOptions,
} from './graph.js';
export { byteLength, tensor, type Tensor, type TensorData, type TensorFill } from './tensor.js';
export {
  mapType,
  optionalType,
  sequenceType,
  tensorType,
  typedValueInfo,
  valueInfo,
  type Dim,
  type ValueInfo,
  type ValueType,
} from './types.js';
export { writeModel, type ExternalDataOptions, type WriteOptions } from './write.js';
