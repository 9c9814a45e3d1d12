import { decode, encode } from '@msgpack/msgpack';
import { WebSocket, type RawData } from 'ws';

/**
 * A client written from the protocol's description alone, with another MessagePack library and none
 * of Warmswap's code.
 */
export class RawRpc {
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Params of the notifications `event`, as they came. */
  readonly events: Record<string, unknown>[] = [];
  readonly #waiting = new Map<number, (response: Response) => void>();
  #lastMsgid = 0;

  private constructor(
    readonly socket: WebSocket,
    private readonly options: RawRpcOptions,
  ) {
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data) => this.#onMessage(data));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  static async connect(url: string, options: RawRpcOptions = {}): Promise<RawRpc> {
    const { protocols = [], headers = {}, ca } = options;
    const socket = new WebSocket(url, [...protocols], { headers, ...(ca && { ca: [...ca] }) });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new RawRpc(socket, options);
  }

  /** Sends `[0, msgid, method, params]`; gives error and result. */
  call(method: string, ...params: unknown[]): Promise<Response> {
    const msgid = ++this.#lastMsgid;
    const { forceIntegerToFloat = false } = this.options;
    const response = new Promise<Response>((resolve) => this.#waiting.set(msgid, resolve));
    this.socket.send(
      encode([0, msgid, method, params], { forceIntegerToFloat, useBigInt64: true }),
    );
    return response;
  }

  send(data: Uint8Array | string): void {
    this.socket.send(data, { binary: typeof data !== 'string' });
  }

  close(): void {
    this.socket.close();
  }

  #onMessage(data: RawData): void {
    const message = decode(new Uint8Array(data as ArrayBuffer), { useBigInt64: true }) as unknown[];
    if (message[0] === 2 && message[1] === 'event') {
      this.events.push((message[2] as Record<string, unknown>[])[0] ?? {});
      return;
    }
    const [type, msgid, error, result] = message;
    if (type !== 1) throw new Error(`not a response: ${JSON.stringify(message)}`);
    this.#waiting.get(Number(msgid))?.({
      error: error as WireError | null,
      result: result as WireResult,
    });
    this.#waiting.delete(Number(msgid));
  }
}

export interface RawRpcOptions {
  /** Every number of a call is a float on the wire. */
  forceIntegerToFloat?: boolean;
  protocols?: readonly string[];
  headers?: Readonly<Record<string, string>>;
  ca?: readonly string[];
}

interface Response {
  error: WireError | null;
  result: WireResult;
}

export interface WireError {
  code: string;
  message: string;
  retryable: boolean;
}

/** As `infer` answers it; other methods answer otherwise. */
export interface WireResult {
  model: string;
  version: number;
  outputs: Record<string, WireTensor>;
  timing: { queueUs: number; computeUs: number; batchSize: number };
}

export interface WireTensor {
  datatype: string;
  shape: number[];
  data: Uint8Array;
}

export function float32(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** The values of an FP32 tensor as it came. */
export function fromFloat32({ data }: WireTensor): number[] {
  return [...new Float32Array(data.slice().buffer)];
}

/** `infer` params for the fixture `shift`, whose version v answers x + v. */
export function shiftRequest(values: readonly number[] = [1, 2, 3, 4]) {
  const x = { datatype: 'FP32', shape: [values.length / 4, 4], data: float32(values) };
  return { model: 'shift', inputs: { x } };
}

/** `infer` params for the fixture `slow`, which takes about a microsecond an iteration. */
export function slowRequest(iterations: number) {
  const data = new Uint8Array(BigInt64Array.of(BigInt(iterations)).buffer);
  return {
    model: 'slow',
    inputs: {
      iterations: { datatype: 'INT64', shape: [], data },
      x: { datatype: 'FP32', shape: [1], data: float32([0]) },
    },
  };
}
