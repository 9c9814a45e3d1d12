import { onTestFinished } from 'vitest';
import { DaemonProcess } from '../../src/cli/daemon-process.js';
import type { ReloadResult } from '../../src/supervisor/reload-result.js';
import type { Status } from '../../src/supervisor/status.js';
import { AdminClient } from '../../src/cli/admin-client.js';
import { TestRepository } from './repository.js';

export interface TestDaemon {
  process: DaemonProcess;
  repository: TestRepository;
  admin: AdminClient;
  status: () => Promise<Status>;
  reload: () => Promise<ReloadResult>;
}

/** A repository that is deleted at the end of the test. */
export async function testRepository(): Promise<TestRepository> {
  const repository = await TestRepository.create();
  onTestFinished(() => repository.delete());
  return repository;
}

/** A daemon over `repository` that is stopped at the end of the test. */
export async function startDaemon(
  repository: TestRepository,
  flags: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
  workers: readonly string[] = ['--workers', '2'],
): Promise<TestDaemon> {
  const all = ['--models', repository.path, ...workers, ...flags];
  const daemon = await DaemonProcess.start(all, environment);
  onTestFinished(async () => {
    daemon.signal('SIGTERM');
    daemon.signal('SIGTERM');
    await daemon.exited();
  });
  return control(daemon, repository);
}

/** The handles of a daemon that the caller stops; with the token, those of an operator who has it. */
export function control(
  daemon: DaemonProcess,
  repository: TestRepository,
  token?: string,
): TestDaemon {
  const admin = new AdminClient(daemon.adminUrl, token);
  return {
    process: daemon,
    repository,
    admin,
    status: async () => (await admin.get('/status')) as Status,
    reload: async () => (await admin.post('/reload')) as ReloadResult,
  };
}
