/** The part of the WebSocket interface that the client uses; browsers and the ws package have it. */
export interface Socket {
  binaryType: string;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  /** The ws package says what is wrong, browsers don't. */
  onerror: ((event: { message?: string }) => void) | null;
}

type SocketClass = new (url: string) => Socket;

/** In Node.js the ws package, elsewhere the platform's own WebSocket. */
export async function openSocket(url: string): Promise<Socket> {
  const SocketClass = await socketClass();
  const socket = new SocketClass(url);
  socket.binaryType = 'arraybuffer';
  return socket;
}

async function socketClass(): Promise<SocketClass> {
  const isNode = typeof process !== 'undefined' && typeof process.versions.node === 'string';
  if (!isNode) return (globalThis as unknown as { WebSocket: SocketClass }).WebSocket;
  const { WebSocket } = await import('ws');
  return WebSocket as unknown as SocketClass;
}
