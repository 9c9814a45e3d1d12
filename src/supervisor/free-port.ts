import { createServer, type AddressInfo } from 'node:net';

/**
 * `wanted`, or any port for 0, if nobody listens on it; rejects otherwise. The workers share one port
 * (SO_REUSEPORT), which the kernel grants only for a port that was asked for by number, and would
 * grant to a second daemon as well.
 */
export async function findFreePort(host: string, wanted: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(wanted, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
