import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Check } from '../../../src/cli/doctor/check.js';
import type { DoctorReport } from '../../../src/cli/doctor/report.js';
import { projectRoot } from '../../lib/paths.js';

/** What `warmswap doctor` of the built program finds out about this host. */
export class HostReport {
  private constructor(readonly checks: readonly Check[]) {}

  /** Rejects if the program is not built, or its addon does not load. */
  static async read(config: string): Promise<HostReport> {
    const { checks } = await runDoctor(config);
    const addon = checks.find(({ name }) => name === 'addon');
    if (addon?.status !== 'ok') throw new Error(`${addon?.found}: ${addon?.remedy}`);
    return new HostReport(checks);
  }

  check(name: string): Check | undefined {
    return this.checks.find((check) => check.name === name);
  }
}

function runDoctor(config: string): Promise<DoctorReport> {
  const program = join(projectRoot, 'dist', 'cli', 'main.js');
  const command = [program, 'doctor', '--json', '--config', config];
  return new Promise((resolve, reject) => {
    // What it finds wrong with the ports or the repository, it says with its exit code, too.
    execFile(process.execPath, command, (_, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as DoctorReport);
      } catch {
        reject(new Error(`warmswap doctor failed (is it built? npm run build): ${stderr.trim()}`));
      }
    });
  });
}
