import type { HttpRequest } from 'uWebSockets.js';
import type { Grant } from '../access/grant.js';
import type { AccessSettings } from '../access/settings.js';
import { TokenSet } from '../access/token-set.js';
import { WarmswapError } from '../rpc/errors.js';
import { HostNames } from './host-names.js';
import { Origins } from './origins.js';
import { insteadOfToken, readProtocols, tokenOfHeader } from '../rpc/bearer.js';

/** Whom a WebSocket is opened for. */
export interface Admission {
  grant: Grant;
  /** The subprotocol to answer with; empty for none. */
  protocol: string;
}

const MOST_SHOWN = 128;

/** Who may come in at the data port. */
export class Gate {
  #tokens: TokenSet;
  #origins: Origins;
  #hosts: HostNames;

  constructor({ tokens, origins, hosts }: AccessSettings) {
    this.#tokens = new TokenSet(tokens);
    this.#origins = new Origins(origins);
    this.#hosts = new HostNames(hosts);
  }

  /** Replaces what holds for those who come from now on. */
  follow({ tokens, origins, hosts }: AccessSettings): void {
    this.#tokens = new TokenSet(tokens);
    this.#origins = new Origins(origins);
    this.#hosts = new HostNames(hosts);
  }

  /**
   * The origin of the web page that calls; empty if it is none. Throws PERMISSION_DENIED, also where no
   * token tells who calls and the page may have come by a name of its own.
   */
  requireOrigin(request: HttpRequest): string {
    this.#requireHost(request.getHeader('host'));
    const origin = request.getHeader('origin');
    if (this.#origins.allows(origin)) return origin;
    const shown = origin.slice(0, MOST_SHOWN);
    throw new WarmswapError('PERMISSION_DENIED', `pages of ${shown} are not in listen.origins`);
  }

  /** What the caller of a request may use. Throws UNAUTHENTICATED or PERMISSION_DENIED. */
  admit(request: HttpRequest): Grant {
    const authorization = request.getHeader('authorization');
    const token = tokenOfHeader(authorization);
    return this.#tokens.admit('infer', token, insteadOfToken(authorization));
  }

  #requireHost(host: string): void {
    if (this.#tokens.asksFor('infer') || this.#hosts.allows(host)) return;
    const shown = host.slice(0, MOST_SHOWN);
    throw new WarmswapError('PERMISSION_DENIED', `the host ${shown} is not in listen.allowedHosts`);
  }

  /** As both, for a WebSocket: a browser's token is in the first subprotocol. */
  admitUpgrade(request: HttpRequest): Admission {
    this.requireOrigin(request);
    const header = request.getHeader('sec-websocket-protocol');
    const { token, chosen } = readProtocols(header);
    const authorization = request.getHeader('authorization');
    const brought = tokenOfHeader(authorization) ?? token;
    const grant = this.#tokens.admit('infer', brought, insteadOfToken(authorization));
    if (token !== undefined && chosen === undefined) {
      const reason = "beside the token's subprotocol offer 'warmswap', with which it is answered";
      throw new WarmswapError('INVALID_ARGUMENT', reason);
    }
    return { grant, protocol: chosen ?? '' };
  }

  /** What somebody who came in before may use now; nothing if he may not be here any more. */
  readmit(grant: Grant): Grant | undefined {
    return this.#tokens.readmit('infer', grant);
  }
}
