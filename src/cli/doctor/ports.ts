import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { findFreePort } from '../../supervisor/free-port.js';
import { fail, ok, warn, type Check } from './check.js';

/** The addresses of the configuration. */

const ANSWER_TIMEOUT_MS = 2_000;

interface Address {
  host: string;
  port: number;
  /** Anything: TLS is spoken there. */
  tls?: unknown;
}

export async function checkPort(
  name: string,
  setting: 'listen' | 'admin',
  { host, port, tls }: Address,
): Promise<Check> {
  const address = `${host}:${port}`;
  try {
    await findFreePort(host, port);
    return ok(name, port === 0 ? `${host}, any port` : `${address} is free`);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return takenPort(name, setting, { host, port, tls });
    const remedy =
      code === 'EACCES'
        ? `set ${setting}.port to 1024 or more, or give Node.js the capability to bind lower ones`
        : `set ${setting}.host to an address of this host`;
    return fail(name, `cannot listen on ${address}: ${message}`, remedy);
  }
}

async function takenPort(
  name: string,
  setting: 'listen' | 'admin',
  { host, port, tls }: Address,
): Promise<Check> {
  const address = `${host}:${port}`;
  if (await servesModels({ host, port, tls })) {
    const remedy = 'stop it before you start another, or use other ports';
    return warn(name, `${address} is taken by an inference server, maybe this daemon`, remedy);
  }
  const remedy = `end what listens there (ss -ltnp), or set ${setting}.port to another number`;
  return fail(name, `${address} is taken`, remedy);
}

/** Whether the Open Inference Protocol's liveness is answered. */
function servesModels({ host, port, tls }: Address): Promise<boolean> {
  // Nothing is told to whoever answers, so that it need not prove who it is.
  const send = tls ? requestTls : request;
  const timeout = ANSWER_TIMEOUT_MS;
  const path = '/v2/health/live';
  return new Promise((resolve) => {
    const call = send(
      { host, port, path, timeout, agent: false, rejectUnauthorized: false },
      (response) => {
        resolve(response.statusCode === 200);
        call.destroy();
      },
    );
    call.once('timeout', () => call.destroy());
    call.once('error', () => {
      resolve(false);
    });
    call.once('close', () => {
      resolve(false);
    });
    call.end();
  });
}
