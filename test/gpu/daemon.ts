import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AdminClient } from '../../src/cli/admin-client.js';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import { connect, type Client } from '../../src/client/index.js';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import type { Status } from '../../src/supervisor/status.js';
import { TestRepository } from '../support/repository.js';
import type { Case, Context } from './case.js';
import { expectClose } from './expect.js';
import { answer, loadOnCpu, rowValues, WIDTH, writeVersion } from './mlp-model.js';

/** A daemon on the target, from packing to a swap. */

const ROWS = 4;
const CLIENTS = 4;

export const DAEMON: readonly Case[] = [
  {
    name: 'a daemon serves on the device, and swaps there without a failed request',
    run: serveAndSwap,
  },
];

async function serveAndSwap({ engine, target, folder }: Context): Promise<void> {
  const repository = await TestRepository.create();
  const sources = [0, 1].map((seed) => writeVersion(join(folder, String(seed)), seed));
  await repository.publishFolder('mlp', 1, join(folder, '0'));
  await repository.configure('mlp', 'batching: { maxBatch: 8 }\n');
  const daemon = await DaemonProcess.start([
    ...['--models', repository.path, '--store', join(repository.path, '.store')],
    ...['--workers', '1', ...target.daemonFlags],
  ]);
  try {
    const admin = new AdminClient(daemon.adminUrl);
    const { workers } = (await admin.get('/status')) as Status;
    assert.deepEqual(
      workers.map(({ device }) => device),
      [target.device],
    );
    const expected = await Promise.all(
      sources.map(async (path) => {
        const model = await loadOnCpu(engine, path);
        return answer(model, rowValues(ROWS)).finally(() => model.unload());
      }),
    );
    const client = await connect(daemon.rpcUrl);
    try {
      const load = new Load(client, expected);
      await repository.publishFolder('mlp', 2, join(folder, '1'));
      const { changes } = (await admin.post('/reload')) as ReloadResult;
      assert.deepEqual(
        changes.map(({ result }) => result),
        ['committed'],
      );
      await load.until(2);
    } finally {
      await client.close();
    }
  } finally {
    await daemon.stop();
    await repository.delete();
  }
}

/** Asks until a version has answered each client; rejects if a request fails or is answered wrongly. */
class Load {
  readonly #loops: Promise<void>;
  #wanted = Infinity;

  constructor(
    private readonly client: Client,
    /** By version, from 1 on. */
    private readonly expected: readonly Float32Array[],
  ) {
    this.#loops = Promise.all(Array.from({ length: CLIENTS }, () => this.#loop())).then(() => {});
    // It is told when somebody waits for it.
    this.#loops.catch(() => {});
  }

  until(version: number): Promise<void> {
    this.#wanted = version;
    return this.#loops;
  }

  async #loop(): Promise<void> {
    const x = { shape: [ROWS, WIDTH], data: rowValues(ROWS) };
    for (let version = 0; version < this.#wanted;) {
      const result = await this.client.infer({ model: 'mlp', inputs: { x } });
      version = result.version;
      const expected = this.expected[version - 1];
      assert.ok(expected, `version ${version}`);
      expectClose(result.outputs.y?.data as Float32Array, expected, `version ${version}`);
    }
  }
}
