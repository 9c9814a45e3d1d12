import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { z } from 'zod';
import { validate } from '../config/parse.js';
import type { ErrorCode } from '../rpc/codes.js';
import { toWarmswapError, WarmswapError } from '../rpc/errors.js';
import type { Supervisor } from './supervisor.js';

/** The admin HTTP interface: JSON, on a loopback address. */

const MAX_BODY_BYTES = 64 * 1024;
const BODY_TIMEOUT_MS = 10_000;

const HTTP_STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  UNAVAILABLE: 503,
};

const activateBody = z.strictObject({
  version: z.int().min(1),
  allowSignatureChange: z.boolean().default(false),
});

const drainBody = z.strictObject({ worker: z.int().min(0) });

interface Route {
  method: string;
  path: RegExp;
  answer(supervisor: Supervisor, captured: string, body: unknown): unknown;
}

const ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/status$/, answer: (supervisor) => supervisor.status() },
  { method: 'GET', path: /^\/v2\/health\/live$/, answer: () => ({ live: true }) },
  { method: 'GET', path: /^\/v2\/health\/ready$/, answer: readiness },
  { method: 'POST', path: /^\/reload$/, answer: (supervisor) => supervisor.reload() },
  { method: 'POST', path: /^\/models\/([^/]+)\/activate$/, answer: activate },
  { method: 'POST', path: /^\/drain$/, answer: drain },
  { method: 'POST', path: /^\/restart$/, answer: (supervisor) => supervisor.restart() },
];

function readiness(supervisor: Supervisor): unknown {
  if (supervisor.isReady) return { ready: true };
  throw new WarmswapError('UNAVAILABLE', 'no worker is ready');
}

function activate(supervisor: Supervisor, model: string, body: unknown): unknown {
  const { version, allowSignatureChange } = validate(activateBody, body, 'request');
  return supervisor.activate(model, version, allowSignatureChange);
}

function drain(supervisor: Supervisor, _captured: string, body: unknown): unknown {
  return supervisor.drain(validate(drainBody, body, 'request').worker);
}

/** Listens at the address; rejects if it cannot. Gives the server and its port. */
export async function listenAdmin(
  supervisor: Supervisor,
  { host, port }: { host: string; port: number },
): Promise<{ server: Server; port: number }> {
  const server = createServer({ requestTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    void handle(supervisor, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function handle(
  supervisor: Supervisor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    refuseBrowsers(request);
    const { route, captured } = findRoute(request);
    const body = route.method === 'POST' ? await readJson(request) : undefined;
    respond(response, 200, await route.answer(supervisor, captured, body));
  } catch (error) {
    const { code, message } = asRequestError(error);
    respond(response, HTTP_STATUS[code] ?? 500, { error: message, code });
  }
}

/** A page that the operator visits must not steer the daemon, nor read it through a name of its own. */
function refuseBrowsers({ headers }: IncomingMessage): void {
  const host = (headers.host ?? 'localhost').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const isNamed = isIP(host) === 0 && host !== 'localhost';
  if (headers.origin === undefined && !isNamed) return;
  throw new WarmswapError('PERMISSION_DENIED', 'requests of browsers are refused');
}

function findRoute(request: IncomingMessage): { route: Route; captured: string } {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  for (const route of ROUTES) {
    const match = request.method === route.method ? route.path.exec(path) : null;
    if (match) return { route, captured: decodeURIComponent(match[1] ?? '') };
  }
  throw new WarmswapError('NOT_FOUND', `there is no ${request.method} ${path}`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new WarmswapError('INVALID_ARGUMENT', `the body has more than ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as unknown);
}

function asRequestError(error: unknown): WarmswapError {
  const name = error instanceof Error ? error.name : '';
  const isBadRequest = ['ConfigError', 'SyntaxError', 'URIError'].includes(name);
  if (isBadRequest) return new WarmswapError('INVALID_ARGUMENT', (error as Error).message);
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
