import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/**
 * A folder where the package that would be published is installed without its scripts, so without the
 * addon, and of what it depends on only the named packages. It is deleted at the end of the test.
 */
export async function installPacked(dependencies: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warmswap-packed-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const flags = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...flags], { cwd: root });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  const modules = join(folder, 'node_modules');
  const installed = join(modules, 'warmswap');
  await mkdir(installed, { recursive: true });
  await extract({ file: join(folder, packed?.filename ?? ''), cwd: installed, strip: 1 });
  await Promise.all(
    dependencies.map((name) => symlink(join(root, 'node_modules', name), join(modules, name))),
  );
  return folder;
}
