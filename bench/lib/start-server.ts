import { verifyAnswer } from './answer.js';
import type { RunningServer, ServerKind, StartOptions } from './server.js';

/** Resolves once it has given a right answer. */
export async function startServer(kind: ServerKind, options: StartOptions): Promise<RunningServer> {
  const server = await kind.start(options);
  try {
    await verifyAnswer(server, options.model);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
