import { WarmswapError } from '../rpc/errors.js';
import { kindOf } from '../rpc/kind-of.js';
import type { Backoff } from './backoff.js';
import { keysOf, refuseUnknownKeys } from './known-keys.js';
import type { RetryPolicy } from './retry.js';
import type { Credentials, OpenSocket } from './socket.js';

/** How a client behaves; every member may be left out. Times are in milliseconds. */
export interface ClientOptions {
  /** Connections to each URL; 1. */
  connections?: number;
  /** For opening a connection, and for closing it; 10,000. */
  connectTimeoutMs?: number;
  /**
   * A server from which nothing has come for so long is asked for a sign of life (`ping`), and given up
   * if it gives none in the same time again; 20,000.
   */
  keepAliveMs?: number;
  /** Between attempts to connect; from 50, doubling, to 5,000. */
  reconnect?: Partial<Backoff>;
  /** Of calls that are idempotent; 5 attempts, from 50, doubling, to 2,000. `false`: one attempt. */
  retry?: Partial<RetryPolicy> | false;
  /** How long a call may wait for a connection before it fails as UNAVAILABLE; 30,000. */
  connectionWaitMs?: number;
  /** The deadline of calls that name none; none. */
  deadlineMs?: number;
  /** Calls that are not answered by then are also sent over another connection; not done. */
  hedgeAfterMs?: number;
  /**
   * More calls that are not answered yet are refused as RESOURCE_EXHAUSTED; 10,000. One that is aborted
   * counts until its connection has taken what was sent of it.
   */
  maxPendingCalls?: number;
  /** More bytes of requests that are not answered yet are refused likewise; 256 MiB. */
  maxPendingBytes?: number;
  /** Calls beyond it wait; what the daemon allows by default: 256. */
  maxInflightPerConnection?: number;
  /** What the daemon asks for, if it does (`auth.tokens`). Goes over TLS alone, if others may listen. */
  token?: string;
  /**
   * For wss: certificates in PEM, as text or bytes, that the daemon's has to lead to; not a path. Node.js
   * alone. Its own by default.
   */
  ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Opens a WebSocket, for example through a proxy. */
  openSocket?: OpenSocket;
}

/** What every call takes. */
export interface CallOptions {
  /** Milliseconds until the call fails as DEADLINE_EXCEEDED; the daemon drops it then, too. */
  deadlineMs?: number;
  /** Aborting it cancels the call, which then rejects with CANCELLED; the cause is its reason. */
  signal?: AbortSignal;
  /** `false`: the request is sent once at most, so it is neither retried nor hedged; true. */
  idempotent?: boolean;
  /** Overrides that of the client. */
  hedgeAfterMs?: number;
}

export interface ClientSettings {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly reconnect: Backoff;
  readonly retry: RetryPolicy;
  readonly connectionWaitMs: number;
  readonly deadlineMs: number | undefined;
  readonly hedgeAfterMs: number | undefined;
  readonly maxPendingCalls: number;
  readonly maxPendingBytes: number;
  readonly maxInFlight: number;
  readonly credentials: Credentials;
  readonly openSocket: OpenSocket;
}

const CLIENT_KEYS = keysOf<ClientOptions>({
  ...{ connections: true, connectTimeoutMs: true, keepAliveMs: true, reconnect: true, retry: true },
  ...{ connectionWaitMs: true, deadlineMs: true, hedgeAfterMs: true, maxPendingCalls: true },
  ...{ maxPendingBytes: true, maxInflightPerConnection: true, token: true, ca: true },
  openSocket: true,
});
const BACKOFF_KEYS = keysOf<Backoff>({ baseMs: true, maxMs: true });
const RETRY_KEYS = keysOf<RetryPolicy>({ baseMs: true, maxMs: true, maxAttempts: true });
/** Of calls that take nothing else. */
export const CALL_KEYS = keysOf<CallOptions>({
  ...{ deadlineMs: true, signal: true, idempotent: true, hedgeAfterMs: true },
});

const RECONNECT: Backoff = { baseMs: 50, maxMs: 5_000 };
const RETRY: RetryPolicy = { maxAttempts: 5, baseMs: 50, maxMs: 2_000 };
/** The longest time that both timers and the daemon take. */
const LONGEST_MS = 1e9;
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const TOKEN_TEXT = 'letters, digits and . _ ~ + / -, then any =';
const CERTIFICATE = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/;
const CERTIFICATES_TEXT =
  'certificates in PEM (-----BEGIN CERTIFICATE-----), not the path of a file';
const RPC_PATH = '/rpc';
const PROTOCOLS: Readonly<Record<string, string>> = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
};

/** The options with all defaults. Throws INVALID_ARGUMENT for a key or a value that is none. */
export function toSettings(options: ClientOptions, openSocket: OpenSocket): ClientSettings {
  refuseUnknownKeys('the options of connect', options, CLIENT_KEYS);
  refuseUnknownKeys("'reconnect'", options.reconnect ?? {}, BACKOFF_KEYS);
  const { deadlineMs, hedgeAfterMs } = options;
  return {
    connections: count('connections', options.connections ?? 1),
    connectTimeoutMs: duration('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    keepAliveMs: duration('keepAliveMs', options.keepAliveMs ?? 20_000),
    reconnect: backoff('reconnect', { ...RECONNECT, ...options.reconnect }),
    retry: retryPolicy(options.retry),
    connectionWaitMs: duration('connectionWaitMs', options.connectionWaitMs ?? 30_000),
    deadlineMs: optionalDuration('deadlineMs', deadlineMs),
    hedgeAfterMs: optionalDuration('hedgeAfterMs', hedgeAfterMs),
    maxPendingCalls: count('maxPendingCalls', options.maxPendingCalls ?? 10_000),
    maxPendingBytes: count('maxPendingBytes', options.maxPendingBytes ?? 256 * 2 ** 20),
    maxInFlight: count('maxInflightPerConnection', options.maxInflightPerConnection ?? 256),
    credentials: credentials(options),
    openSocket: options.openSocket ?? openSocket,
  };
}

function credentials({ token, ca }: ClientOptions): Credentials {
  // What is wrong with it is told without it.
  if (token !== undefined && !TOKEN.test(token))
    throw invalid("'token'", TOKEN_TEXT, 'another text');
  return {
    ...(token !== undefined && { token }),
    ...(ca !== undefined && { ca: certificates(ca) }),
  };
}

function certificates(ca: NonNullable<ClientOptions['ca']>): string[] {
  const given: readonly unknown[] = Array.isArray(ca) ? ca : [ca];
  if (given.length === 0) throw invalid("'ca'", CERTIFICATES_TEXT, 'an empty array');
  return given.map((each) => {
    const text = each instanceof Uint8Array ? new TextDecoder().decode(each) : each;
    if (typeof text === 'string' && CERTIFICATE.test(text)) return text;
    throw new WarmswapError(
      'INVALID_ARGUMENT',
      `'ca': expected ${CERTIFICATES_TEXT}, got ${typeof text === 'string' ? 'a text without any' : kindOf(text)}`,
    );
  });
}

function retryPolicy(retry: ClientOptions['retry']): RetryPolicy {
  if (retry === false) return { ...RETRY, maxAttempts: 1 };
  refuseUnknownKeys("'retry'", retry ?? {}, RETRY_KEYS);
  const policy = { ...RETRY, ...retry };
  return {
    ...backoff('retry', policy),
    maxAttempts: count('retry.maxAttempts', policy.maxAttempts),
  };
}

function backoff(name: string, { baseMs, maxMs }: Backoff): Backoff {
  return { baseMs: duration(`${name}.baseMs`, baseMs), maxMs: duration(`${name}.maxMs`, maxMs) };
}

/** Throws INVALID_ARGUMENT unless the time is undefined or one that timers and the daemon take. */
export function optionalDuration(name: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : duration(name, value);
}

function duration(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= LONGEST_MS) return value;
  throw invalid(`'${name}'`, `milliseconds above 0, at most ${LONGEST_MS}`, value);
}

function count(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw invalid(`'${name}'`, 'a positive integer', value);
}

/**
 * The addresses of the WebSockets, each once: `/rpc` where no path is given, `ws:` for `http:`. Throws
 * INVALID_ARGUMENT for what is no such address, and for none.
 */
export function toRpcUrls(urls: string | readonly string[]): string[] {
  const given = typeof urls === 'string' ? [urls] : urls;
  if (given.length === 0) throw invalid('urls', 'at least one', 'none');
  return [...new Set(given.map(toRpcUrl))];
}

function toRpcUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const protocol = parsed && PROTOCOLS[parsed.protocol];
  if (!protocol) throw invalid('url', 'one like ws://127.0.0.1:9000', url);
  parsed.protocol = protocol;
  parsed.hash = '';
  if (parsed.pathname === '/') parsed.pathname = RPC_PATH;
  return parsed.href;
}

function invalid(what: string, expected: string, got: unknown): WarmswapError {
  return new WarmswapError(
    'INVALID_ARGUMENT',
    `${what}: expected ${expected}, got ${typeof got === 'string' ? `'${got}'` : String(got)}`,
  );
}
