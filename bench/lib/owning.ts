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
    for (const server of owned.reverse()) await server.stop();
  }
}
