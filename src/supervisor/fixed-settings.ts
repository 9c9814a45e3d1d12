import type { DaemonConfig } from '../config/schema.js';

/** Settings that only a restart can change, by their names. */
function fixedSettings({ listen, admin, ...config }: DaemonConfig): Record<string, unknown> {
  const { store, state, workers, device, ortLibrary, gpu } = config;
  const { watch, limits, busyPoll, realTime, health, log } = config;
  return {
    ...{ store, state, workers, device, ortLibrary, gpu },
    ...{ watch, limits, busyPoll, realTime, health, log },
    listen: { host: listen.host, port: listen.port, tls: listen.tls !== undefined },
    admin: { host: admin.host, port: admin.port },
  };
}

/** The names of those in which `next` differs. */
export function changedFixedSettings(before: DaemonConfig, next: DaemonConfig): string[] {
  const [old, fresh] = [fixedSettings(before), fixedSettings(next)];
  return Object.keys(old).filter((key) => JSON.stringify(old[key]) !== JSON.stringify(fresh[key]));
}
