import type { Server } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { loadConfig, type ConfigSources } from '../config/load.js';
import { createLogger, type Logger } from '../telemetry/log.js';
import { listenAdmin } from './admin-server.js';
import { checkFolders } from './check-folders.js';
import { hideTokens } from './child-environment.js';
import { settleDevice } from './device/settle-device.js';
import { Supervisor } from './supervisor.js';

/** What this process does it does too seldom: compiling it takes 8 MB, and time from requests. */
const SMALL_HEAP = ['--no-opt', '--no-sparkplug', '--semi-space-growth-factor=1'];

/**
 * Runs the daemon in this process until a signal ends it: SIGHUP reloads; SIGTERM and SIGINT drain
 * and exit, a second one at once. Rejects with ConfigError before anything has started, also if the
 * repository, the store, the device or the ONNX Runtime that it asks for cannot be used. Resolves when
 * the daemon serves; its ready line on standard output names both addresses.
 */
export async function runDaemon({ environment, ...others }: ConfigSources): Promise<void> {
  for (const flag of SMALL_HEAP) setFlagsFromString(flag);
  const sources = { ...others, environment: { ...environment } };
  const config = loadConfig(sources);
  hideTokens(config);
  await checkFolders(config);
  const log = createLogger('supervisor', config.log.level);
  const running: Running = {};
  const shutdown = handleSignals(running, log);
  const { devices, reason } = await settleDevice(config);
  log.info({ device: devices.join(', '), reason }, 'device');
  const readConfig = () => loadConfig(sources);
  const supervisor = new Supervisor({ config, devices, readConfig, log });
  running.supervisor = supervisor;
  try {
    // The admin port first: a second daemon on this host fails here, before it loads a model.
    const listening = await listenAdmin(supervisor, config.admin);
    running.admin = listening.server;
    await supervisor.start();
    const { host, port } = supervisor.address;
    const scheme = config.listen.tls ? 'wss' : 'ws';
    const rpc = `${scheme}://${hostInUrl(host)}:${port}/rpc`;
    log.info({ rpc, admin: `http://${hostInUrl(config.admin.host)}:${listening.port}` }, 'serving');
  } catch (error) {
    // What a signal cuts short has not failed; the signal's handler ends the process.
    if (shutdown.begun) return;
    supervisor.kill();
    log.fatal({ reason: (error as Error).message }, 'cannot start');
    process.exit(1);
  }
}

/** What signals are for, as far as it is there already. */
interface Running {
  supervisor?: Supervisor;
  admin?: Server;
}

interface Shutdown {
  begun: boolean;
}

function handleSignals(running: Running, log: Logger): Readonly<Shutdown> {
  const shutdown: Shutdown = { begun: false };
  const stop = (signal: string) => {
    if (shutdown.begun) {
      running.supervisor?.kill();
      process.exit(1);
    }
    shutdown.begun = true;
    log.info({ signal }, 'draining');
    running.admin?.close();
    void Promise.resolve(running.supervisor?.stop()).then(() => process.exit(0));
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => {
    running.supervisor?.reload().catch((error: unknown) => {
      log.error({ reason: (error as Error).message }, 'reload refused; everything stays as it is');
    });
  });
  return shutdown;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
