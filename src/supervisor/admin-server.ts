import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OPEN } from '../access/grant.js';
import type { DaemonConfig } from '../config/schema.js';
import type { ErrorCode } from '../rpc/codes.js';
import { toWarmswapError, WarmswapError } from '../rpc/errors.js';
import { refuseBrowsers, requireToken } from './admin-access.js';
import { BodyTooLargeError, readJson } from './admin-body.js';
import type { Route } from './admin-route.js';
import { EventStream } from './event-stream.js';
import { portError } from './free-port.js';
import { MODEL_ROUTES } from './model-routes.js';
import { REPOSITORY_ROUTES } from './repository-routes.js';
import type { Supervisor } from './supervisor.js';
import { WORKER_ROUTES } from './worker-routes.js';

/** The admin HTTP interface: JSON, on a loopback address unless there is a token. */

const BODY_TIMEOUT_MS = 10_000;

const HTTP_STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
};
const PAYLOAD_TOO_LARGE = 413;

const ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/status$/, answer: (supervisor) => supervisor.status() },
  {
    ...{ method: 'GET', path: /^\/v2\/health\/live$/, isPublic: true },
    answer: () => ({ live: true }),
  },
  { method: 'GET', path: /^\/v2\/health\/ready$/, isPublic: true, answer: readiness },
  {
    ...{ method: 'GET', path: /^\/events$/ },
    answer: (supervisor) => new EventStream(supervisor.events),
  },
  { method: 'POST', path: /^\/reload$/, answer: (supervisor) => supervisor.reload() },
  ...WORKER_ROUTES,
  ...MODEL_ROUTES,
  ...REPOSITORY_ROUTES,
];

function readiness(supervisor: Supervisor): unknown {
  if (supervisor.isReady) return { ready: true };
  throw new WarmswapError('UNAVAILABLE', 'no worker is ready');
}

/** Listens at the address; rejects if it cannot. Gives the server and its port. */
export async function listenAdmin(
  supervisor: Supervisor,
  config: Pick<DaemonConfig['admin'], 'host' | 'port'>,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ requestTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    void handle(supervisor, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) => {
      reject(portError(error, 'admin.port', '--admin-port'));
    };
    server.once('error', refuse).listen(config.port, config.host, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function handle(
  supervisor: Supervisor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { tokens } = supervisor.access;
    refuseBrowsers(request, tokens.asksFor('admin'));
    const found = findRoute(request);
    const grant = found?.route.isPublic ? OPEN : requireToken(request, tokens);
    if (!found)
      throw new WarmswapError('NOT_FOUND', `there is no ${request.method} ${request.url}`);
    const body = request.method === 'GET' ? undefined : await readJson(request);
    const answer = await found.route.answer(supervisor, found.captured, body);
    if (answer instanceof EventStream) {
      answer.begin(response);
      const stopWatching = supervisor.access.watch(grant, () => response.end());
      response.once('close', stopWatching);
    } else respond(response, 200, answer);
  } catch (error) {
    refuse(response, error);
  }
}

/** Nothing if there is none: whether there is one is not for those without the token. */
function findRoute(
  request: IncomingMessage,
): { route: Route; captured: readonly string[] } | undefined {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  for (const route of ROUTES) {
    const match = request.method === route.method ? route.path.exec(path) : null;
    if (match) return { route, captured: match.slice(1).map(decodeURIComponent) };
  }
  return undefined;
}

function refuse(response: ServerResponse, error: unknown): void {
  const { code, message } = asRequestError(error);
  const isTooLarge = error instanceof BodyTooLargeError;
  if (code === 'UNAUTHENTICATED') response.setHeader('WWW-Authenticate', 'Bearer');
  const status = isTooLarge ? PAYLOAD_TOO_LARGE : (HTTP_STATUS[code] ?? 500);
  respond(response, status, { error: message, code });
}

const BAD_REQUESTS: ReadonlySet<string> = new Set([
  ...['ConfigError', 'SyntaxError', 'URIError', 'BodyTooLargeError'],
]);

function asRequestError(error: unknown): WarmswapError {
  const isBadRequest = error instanceof Error && BAD_REQUESTS.has(error.name);
  if (isBadRequest) return new WarmswapError('INVALID_ARGUMENT', error.message);
  return toWarmswapError(error);
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
