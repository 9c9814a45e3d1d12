import { fromWireError, WarmswapError } from '../rpc/errors.js';
import { decodeMessage, encodeRequest, type Message } from '../rpc/frames.js';
import type { InferResult, InferTiming, ModelDescription, ModelListing } from '../rpc/methods.js';
import { openSocket, type Socket } from './socket.js';
import { fromTensor, toTensor, type InputTensor, type OutputTensor } from './tensors.js';

export interface InferCall {
  model: string;
  /** At most one of `version` and `label`; neither means the active version. */
  version?: number;
  label?: string;
  inputs: Readonly<Record<string, InputTensor>>;
  /** Names of the outputs wanted; all if left out. */
  outputs?: readonly string[];
  /** Milliseconds that the daemon may take, counted from the arrival of the request. */
  deadlineMs?: number;
  /** 0 is the most urgent; the middle of the model's priorities if left out. */
  priority?: number;
}

export interface InferAnswer {
  model: string;
  /** The version that answered. */
  version: number;
  outputs: Record<string, OutputTensor>;
  timing: InferTiming;
}

interface Call {
  resolve(result: unknown): void;
  reject(error: WarmswapError): void;
}

const NORMAL_CLOSURE = 1000;
const RPC_PATH = '/rpc';

/**
 * Connects to a daemon, for example `ws://127.0.0.1:9000` (the path /rpc may be left out). Rejects
 * with UNAVAILABLE if nobody answers.
 */
export async function connect(url: string): Promise<Client> {
  const socket = await openSocket(rpcUrl(url));
  await new Promise<void>((resolve, reject) => {
    let cause = '';
    socket.onopen = () => resolve();
    socket.onerror = ({ message }) => (cause = message ? `: ${message}` : '');
    socket.onclose = () =>
      reject(new WarmswapError('UNAVAILABLE', `cannot connect to ${url}${cause}`));
  });
  return new Client(socket);
}

function rpcUrl(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === '/') parsed.pathname = RPC_PATH;
  return parsed.href;
}

/** One connection. Calls may overlap; answers come in any order. Every rejection is a WarmswapError. */
export class Client {
  readonly #socket: Socket;
  readonly #calls = new Map<number, Call>();
  readonly #closed: Promise<void>;
  #lastMsgid = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #onIdle: (() => void) | undefined;

  /** Takes over an open socket; use `connect`. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(data);
    this.#closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        this.#onClose(`the connection closed (${code}${reason && `: ${reason}`})`);
        resolve();
      };
    });
  }

  async infer(call: InferCall): Promise<InferAnswer> {
    const inputs = Object.entries(call.inputs).map(
      ([name, input]) => [name, toTensor(input)] as const,
    );
    const params: Record<string, unknown> = { ...call, inputs: Object.fromEntries(inputs) };
    const given = Object.entries(params).filter(([, value]) => value !== undefined);
    const result = await this.#call('infer', Object.fromEntries(given));
    const { model, version, outputs, timing } = result as InferResult;
    const arrays = Object.entries(outputs).map(
      ([name, tensor]) => [name, fromTensor(tensor)] as const,
    );
    return { model, version, outputs: Object.fromEntries(arrays), timing };
  }

  async models(): Promise<ModelListing[]> {
    return (await this.#call('models', {})) as ModelListing[];
  }

  async describe(model: string, version?: number): Promise<ModelDescription> {
    const params = version === undefined ? { model } : { model, version };
    return (await this.#call('describe', params)) as ModelDescription;
  }

  /** Gives `value` back, once the daemon has seen it. */
  ping(value: unknown = null): Promise<unknown> {
    return this.#call('ping', value);
  }

  /** Waits for the calls that are in flight, then closes. New calls are refused. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
      this.#socket.close(NORMAL_CLOSURE);
    }
    await this.#closed;
  }

  /** Closes at once; calls in flight fail as UNAVAILABLE. Idempotent. */
  destroy(): void {
    this.#socket.close(NORMAL_CLOSURE);
    this.#onClose('the client was destroyed');
  }

  #call(method: string, params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#state !== 'open') throw new WarmswapError('UNAVAILABLE', 'the client is closed');
      const msgid = this.#nextMsgid();
      const frame = encodeRequest(msgid, method, params);
      this.#calls.set(msgid, { resolve, reject });
      this.#socket.send(frame);
    });
  }

  #nextMsgid(): number {
    do this.#lastMsgid = (this.#lastMsgid + 1) >>> 0;
    while (this.#calls.has(this.#lastMsgid));
    return this.#lastMsgid;
  }

  #onMessage(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error('a text frame');
      this.#onRpcMessage(decodeMessage(new Uint8Array(data)));
    } catch (error) {
      this.#socket.close(NORMAL_CLOSURE);
      this.#onClose(`the server sent what is no MessagePack-RPC: ${(error as Error).message}`);
    }
  }

  #onRpcMessage(message: Message): void {
    if (message.kind !== 'response') return;
    const call = this.#calls.get(message.msgid);
    if (!call) return;
    this.#calls.delete(message.msgid);
    if (message.error === null) call.resolve(message.result);
    else call.reject(fromWireError(message.error));
    if (this.#calls.size === 0) this.#onIdle?.();
  }

  #onClose(reason: string): void {
    this.#state = 'closed';
    for (const call of this.#calls.values()) call.reject(new WarmswapError('UNAVAILABLE', reason));
    this.#calls.clear();
    this.#onIdle?.();
  }
}
