import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { findFreePort } from '../../src/supervisor/free-port.js';
import type { Status } from '../../src/supervisor/status.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestRepository } from '../support/repository.js';
import { clientPorts } from './client-ports.js';

/** Kills are no crashes in a loop. */
const CONFIG = 'state: .state\nhealth: { crashLimit: 1000, crashWindow: 1ms }\n';

/** A daemon over `shift` 1 and 2 that is killed and started again, always on the same ports. */
export class VictimDaemon {
  /** Of every worker seen. */
  readonly workerPids = new Set<number>();
  readonly admin: AdminClient;
  #process: DaemonProcess | undefined;

  private constructor(
    readonly url: string,
    adminUrl: string,
    private readonly repository: TestRepository,
    private readonly flags: readonly string[],
  ) {
    this.admin = new AdminClient(adminUrl);
  }

  static async start(workers: number): Promise<VictimDaemon> {
    const repository = await TestRepository.create();
    for (const version of [1, 2]) await repository.publish('shift', version);
    const config = join(repository.path, 'warmswap.yaml');
    await writeFile(config, CONFIG);
    const port = await findFreePort('127.0.0.1', 0);
    const adminPort = await findFreePort('127.0.0.1', 0);
    const daemon = new VictimDaemon(
      `ws://127.0.0.1:${port}/rpc`,
      `http://127.0.0.1:${adminPort}`,
      repository,
      [
        ...['--models', repository.path, '--config', config, '--workers', String(workers)],
        ...['--store', join(repository.path, '.store')],
        ...['--port', String(port), '--admin-port', String(adminPort)],
      ],
    );
    await daemon.#start();
    return daemon;
  }

  async status(): Promise<Status> {
    const status = (await this.admin.get('/status')) as Status;
    for (const { pid } of status.workers) this.workerPids.add(pid);
    return status;
  }

  /** Ends it as `kill -9` does, and starts it again. */
  async killSupervisor(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exited();
    await this.#start();
  }

  /** Ends a worker as `kill -9` does; gives the ports of the clients that it had. */
  async killWorker(pid: number): Promise<ReadonlySet<number>> {
    try {
      process.kill(pid, 'SIGSTOP');
      const ports = await clientPorts(pid);
      process.kill(pid, 'SIGKILL');
      return ports;
    } catch {
      // It has ended by itself meanwhile.
      return new Set();
    }
  }

  /** Gives the exit code. */
  async stop(): Promise<number | null> {
    const code = await this.#process?.stop();
    await this.repository.delete();
    return code ?? null;
  }

  async #start(): Promise<void> {
    this.#process = await DaemonProcess.start(this.flags);
  }
}
