import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** A connection that speaks HTTP/1.1 by hand: what is written is what goes out. */
export class RawHttp {
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #onChange: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#onChange();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        this.#onChange();
        resolve();
      });
    });
  }

  static async connect(base: string): Promise<RawHttp> {
    const { hostname, port } = new URL(base);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.setNoDelay(true);
    return new RawHttp(socket);
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Something has come that `next` has not given yet. */
  get hasReceived(): boolean {
    return this.#received.length > 0;
  }

  /** The next response; rejects if the connection closes before it is whole. */
  async next({ isHead = false } = {}): Promise<RawResponse> {
    for (;;) {
      const response = parseResponse(this.#received, isHead);
      if (response) {
        this.#received = this.#received.subarray(response.bytes);
        return response;
      }
      if (this.#isClosed) throw new Error(`closed after '${this.#received.toString('latin1')}'`);
      await new Promise<void>((resolve) => (this.#onChange = resolve));
    }
  }

  /** Writes one request and gives its response. */
  async request(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Readonly<Record<string, string | number>> = {},
  ): Promise<RawResponse> {
    this.write(requestBytes(method, path, body, headers));
    return this.next({ isHead: method === 'HEAD' });
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export interface RawResponse {
  status: number;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: Buffer;
  /** The body as JSON. */
  json: () => unknown;
  /** Of the whole response. */
  bytes: number;
}

/** A request with a Content-Length if it has a body. */
export function requestBytes(
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Readonly<Record<string, string | number>> = {},
): Buffer {
  const content = Buffer.from(body ?? '');
  const all = {
    Host: 'localhost',
    ...(body === undefined ? {} : { 'Content-Length': content.length }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`),
    content,
  ]);
}

function parseResponse(received: Buffer, isHead: boolean): RawResponse | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = end + 4;
  const said = headers.get('content-length');
  const hasBody = !isHead && status >= 200;
  // without a length it goes on to the end of what has come
  const bytes =
    said === undefined && hasBody ? received.length : start + (hasBody ? Number(said) : 0);
  if (received.length < bytes) return undefined;
  const body = Buffer.from(received.subarray(start, bytes));
  return { status, headers, body, bytes, json: () => JSON.parse(body.toString()) as unknown };
}
