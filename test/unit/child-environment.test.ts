import { execFileSync } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { childEnvironment, packerEnvironment } from '../../src/supervisor/child-environment.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const mapsOf = (env: NodeJS.ProcessEnv) =>
  execFileSync('cat', ['/proc/self/maps'], { env, encoding: 'utf8' });

test('a packer moves files by short system calls, another child as it likes', () => {
  expect(mapsOf(packerEnvironment())).toContain('/build/Release/short_io.so\n');
  expect(mapsOf(childEnvironment())).not.toContain('short_io');
});

test('what the user preloads stays, and goes first', () => {
  vi.stubEnv('LD_PRELOAD', '/a/library.so');
  expect(packerEnvironment().LD_PRELOAD).toMatch(/^\/a\/library\.so:.*\/short_io\.so$/);
});
