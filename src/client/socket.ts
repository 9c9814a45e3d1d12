/** The part of the WebSocket interface that the client uses; browsers and the ws package have it. */
export interface Socket {
  binaryType: string;
  /** Bytes that were given to `send` and have not been sent on yet; where nothing tells, none. */
  readonly bufferedAmount?: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without waiting for the peer; the ws package has it, browsers don't. */
  terminate?(): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  /**
   * The ws package says what is wrong, browsers don't, nor with which status a server has refused. An
   * `error` that is a WarmswapError is taken as it is.
   */
  onerror: ((event: { message?: string; error?: unknown }) => void) | null;
}

/** Who connects, and whom he trusts. */
export interface Credentials {
  token?: string;
  /** Certificates in PEM that the server's has to lead to, instead of those of the platform. */
  ca?: readonly string[];
}

/** Begins to connect a WebSocket to `url`. It must copy what is given to `send`. */
export type OpenSocket = (url: string, credentials: Credentials) => Socket;
