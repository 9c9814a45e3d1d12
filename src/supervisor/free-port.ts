import { createServer, type AddressInfo } from 'node:net';

/**
 * A port that is free now. The workers share one port (SO_REUSEPORT), which the kernel grants only
 * for a port that was asked for by number.
 */
export async function findFreePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
