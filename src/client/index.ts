/** The client library: talks to a Warmswap daemon from Node.js or a browser. */
export { Client, connect, type InferAnswer, type InferCall } from './client.js';
export type { InputTensor, OutputTensor, TypedArray } from './tensors.js';
export type { ErrorCode } from '../rpc/codes.js';
export { WarmswapError } from '../rpc/errors.js';
export type { InferTiming, ModelDescription, ModelListing } from '../rpc/methods.js';
export type { Datatype, TensorSignature } from '../rpc/tensor.js';
