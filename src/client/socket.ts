/** The part of the WebSocket interface that the client uses; browsers and the ws package have it. */
export interface Socket {
  binaryType: string;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without waiting for the peer; the ws package has it, browsers don't. */
  terminate?(): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  /** The ws package says what is wrong, browsers don't. */
  onerror: ((event: { message?: string }) => void) | null;
}

/** Who connects, and whom he trusts. */
export interface Credentials {
  token?: string;
  /** Certificates in PEM that the server's has to lead to, instead of those of the platform. */
  ca?: string | readonly string[];
}

/** Begins to connect a WebSocket to `url`. It must copy what is given to `send`. */
export type OpenSocket = (url: string, credentials: Credentials) => Socket;
