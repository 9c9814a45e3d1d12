import { BenchDaemon, type DaemonOptions } from './daemon.js';
import type { BenchModel } from './models.js';
import { rpcRequest } from './requests.js';
import type { RunningServer, ServerKind } from './server.js';

/** The daemon as one of the servers that are compared. */
export function daemonServer(
  options: Pick<DaemonOptions, 'store' | 'firstAnswerIsEnough'> & { yaml?: string } = {},
): ServerKind {
  const { yaml, ...others } = options;
  return {
    name: 'daemon',
    problem: () => undefined,
    start: async ({ model, workers, cpus }) => {
      const configured = yaml === undefined ? {} : { yaml: { [model.name]: yaml } };
      const daemon = await BenchDaemon.start({
        models: [model],
        ...{ workers, cpus, ...configured, ...others },
      });
      return new DaemonServer(daemon, model.name);
    },
  };
}

/** Whatever it is updated to stays a version of the model that it was started with. */
class DaemonServer implements RunningServer {
  #version = 1;

  constructor(
    private readonly daemon: BenchDaemon,
    private readonly name: string,
  ) {}

  get url(): string {
    return this.daemon.url;
  }

  request(model: BenchModel, rows?: number) {
    return rpcRequest(model, rows);
  }

  pids(): number[] {
    return this.daemon.pids();
  }

  async update(model: BenchModel): Promise<void> {
    const old = this.#version++;
    this.daemon.repository.publish(this.name, this.#version, model.folder);
    await this.daemon.reload();
    this.daemon.repository.withdraw(this.name, old);
  }

  stop(): Promise<void> {
    return this.daemon.stop();
  }
}
