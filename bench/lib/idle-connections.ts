import { once } from 'node:events';
import { WebSocket } from 'ws';

const OPENED_AT_ONCE = 100;

/** WebSockets on which nothing is asked. Their owner calls `stop`. */
export class IdleConnections {
  private constructor(private readonly sockets: readonly WebSocket[]) {}

  static async open(url: string, count: number): Promise<IdleConnections> {
    const sockets: WebSocket[] = [];
    while (sockets.length < count) {
      const some = Math.min(OPENED_AT_ONCE, count - sockets.length);
      const opened = Array.from({ length: some }, () => new WebSocket(url));
      await Promise.all(opened.map((socket) => once(socket, 'open')));
      sockets.push(...opened);
    }
    return new IdleConnections(sockets);
  }

  /** Throws if the server has ended one meanwhile. */
  async stop(): Promise<void> {
    const open = this.sockets.filter(({ readyState }) => readyState === WebSocket.OPEN);
    await Promise.all(open.map((socket) => (socket.terminate(), once(socket, 'close'))));
    const lost = this.sockets.length - open.length;
    if (lost > 0) throw new Error(`the server has ended ${lost} idle connections`);
  }
}
