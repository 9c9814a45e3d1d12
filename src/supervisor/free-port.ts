import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;

/**
 * `wanted`, or any port for 0, if nobody listens on it, or nobody any more within `patienceMs`;
 * rejects otherwise. The workers share one port (SO_REUSEPORT), which the kernel grants only for a
 * port that was asked for by number, and would grant to a second daemon as well.
 */
export async function findFreePort(host: string, wanted: number, patienceMs = 0): Promise<number> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await tryPort(host, wanted);
    } catch (error) {
      if (!isTaken(error) || performance.now() > giveUpAt) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Why a port cannot be had, for people. */
export function portError(error: unknown, setting: string, flag: string): Error {
  const { message } = error as Error;
  const remedy = isTaken(error)
    ? `: another process, perhaps another daemon, has it; stop that, or give another port (${flag})`
    : '';
  return new Error(`${setting}: ${message}${remedy}`, { cause: error });
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

async function tryPort(host: string, wanted: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(wanted, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
