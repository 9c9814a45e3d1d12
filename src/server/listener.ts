import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { TlsSettings } from '../access/settings.js';
import { WarmswapError } from '../rpc/errors.js';
import { createTlsApp } from './tls-app.js';

/** What uWebSockets' types leave out: an app may hand the sockets that it accepts to others. */
type App = TemplatedApp & {
  getDescriptor(): unknown;
  addChildAppDescriptor(descriptor: unknown): void;
  removeChildAppDescriptor(descriptor: unknown): void;
};

/** The connections of certificates that were replaced so many times are cut off. */
const MOST_REPLACED = 16;

/**
 * The port: accepts connections, for the app with the newest certificate. The first app listens for good,
 * since a listening socket that is closed takes connections with it that the kernel has accepted already.
 */
export class Listener {
  readonly #first: App;
  /** Those that came after it, of which the last one gets the connections. */
  readonly #later: App[] = [];
  #tls: TlsSettings | undefined;
  #socket: us_listen_socket | undefined;

  /** Throws FAILED_PRECONDITION for a certificate that cannot be used. */
  constructor(
    tls: TlsSettings | undefined,
    private readonly addRoutes: (app: TemplatedApp) => void,
  ) {
    this.#tls = tls;
    this.#first = this.#createApp(tls);
  }

  /** Listens beside other processes (SO_REUSEPORT); rejects with UNAVAILABLE. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first.listen(host, port, (socket) => {
        if (!socket) {
          reject(new WarmswapError('UNAVAILABLE', `cannot listen on ${host}:${port}`));
          return;
        }
        this.#socket = socket;
        resolve();
      });
    });
  }

  /**
   * New connections get this certificate; those that are open keep theirs. Throws FAILED_PRECONDITION if it
   * cannot be used, and goes on with the old one.
   */
  setCertificate(tls: TlsSettings): void {
    if (!this.#tls || JSON.stringify(tls) === JSON.stringify(this.#tls)) return;
    const before = this.#later.at(-1);
    const next = this.#createApp(tls);
    this.#first.addChildAppDescriptor(next.getDescriptor());
    if (before) this.#first.removeChildAppDescriptor(before.getDescriptor());
    this.#tls = tls;
    this.#later.push(next);
    if (this.#later.length > MOST_REPLACED) this.#later.shift()?.close();
  }

  /** Accepts no more connections; those that are open stay. */
  stop(): void {
    if (this.#socket) uWS.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }

  /** Ends every connection. */
  close(): void {
    this.stop();
    for (const app of [this.#first, ...this.#later]) app.close();
  }

  #createApp(tls: TlsSettings | undefined): App {
    const app = (tls ? createTlsApp(tls) : uWS.App()) as App;
    this.addRoutes(app);
    return app;
  }
}
