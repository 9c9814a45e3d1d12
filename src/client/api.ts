/** What the client library gives on every platform, beside `connect`. */
export type { Client } from './client.js';
export type { InferAnswer, InferCall } from './infer.js';
export type { CallOptions, ClientOptions } from './options.js';
export type { Credentials, OpenSocket, Socket } from './socket.js';
export type {
  EventListener,
  EventName,
  ServerEvent,
  SubscribeOptions,
  Subscription,
} from './subscriptions.js';
export type { InputTensor, OutputTensor, TypedArray } from './tensors.js';
export { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './float16.js';
export { float32Values, tensor, textValues, type TensorValues } from './tensor-values.js';
export type { ErrorCode } from '../rpc/codes.js';
export { WarmswapError } from '../rpc/errors.js';
export type { InferTiming, ModelDescription, ModelListing } from '../rpc/methods.js';
export type { Datatype, TensorSignature } from '../rpc/tensor.js';
