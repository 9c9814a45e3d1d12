/** Beyond the limit, so many connections may still ask something over HTTP, as health checks do. */
const SPARE_CONNECTIONS = 64;

/**
 * Counts the connections of the port, over HTTP and WebSockets alike. uWebSockets tells when a socket
 * opens, and when it closes unless it has become a WebSocket.
 */
export class ConnectionLimit {
  #http = 0;
  #webSockets = 0;

  constructor(
    private readonly max: number,
    private readonly onRefused: () => void,
  ) {}

  /** More are open than there should be. */
  get isExceeded(): boolean {
    return this.#http + this.#webSockets > this.max;
  }

  /** A socket has opened. Gives whether it may stay; if not, it is to be closed. */
  onOpen(): boolean {
    this.#http++;
    const mayStay = this.#http + this.#webSockets <= this.max + SPARE_CONNECTIONS;
    if (!mayStay) this.onRefused();
    return mayStay;
  }

  /** A socket that is no WebSocket has closed. */
  onClose(): void {
    this.#http--;
  }

  /** Whether a socket may become a WebSocket. */
  admitsWebSocket(): boolean {
    if (this.isExceeded) this.onRefused();
    return !this.isExceeded;
  }

  onUpgrade(): void {
    this.#http--;
    this.#webSockets++;
  }

  onWebSocketClose(): void {
    this.#webSockets--;
  }
}
