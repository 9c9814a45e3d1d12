export interface Stoppable {
  stop(): Promise<unknown>;
}

type Own = <S extends Stoppable>(started: Promise<S>) => Promise<S>;

/** Stops whatever `use` handed to `own`, the newest first, however `use` ends. */
export async function owning<T>(use: (own: Own) => Promise<T>): Promise<T> {
  const owned: Stoppable[] = [];
  try {
    return await use(async (started) => {
      const server = await started;
      owned.push(server);
      return server;
    });
  } finally {
    await stopAll(owned.reverse());
  }
}

/** One that does not stop is no reason to leave the others running. */
async function stopAll(servers: readonly Stoppable[]): Promise<void> {
  const problems: unknown[] = [];
  for (const server of servers) {
    await server.stop().catch((error: unknown) => problems.push(error));
  }
  if (problems.length > 0) throw problems[0];
}
