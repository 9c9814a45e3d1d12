import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** A folder for PATH that holds only node and the tools named. */
function pathWith(...tools: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'warmswap-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const tool of tools) {
    const found = spawnSync('which', [tool]).stdout.toString().trim();
    symlinkSync(found, join(folder, tool));
  }
  return folder;
}

function build(environment: NodeJS.ProcessEnv, nodeFlags: readonly string[] = []) {
  const { CXX: _, ...rest } = process.env;
  return spawnSync(process.execPath, [...nodeFlags, 'native/build/build-addon.mjs'], {
    env: { ...rest, ...environment },
    encoding: 'utf8',
  });
}

/** Makes Node.js say that it runs there. */
function onPlatform(platform: string): string[] {
  const script = `Object.defineProperty(process, 'platform', { value: '${platform}' })`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

test.each(['darwin', 'win32'])('on %s nothing is built, and one line says so', (platform) => {
  const { status, stdout, stderr } = build({ PATH: pathWith() }, onPlatform(platform));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^warmswap: .*daemon runs on Linux only.*client library works here\n$/);
});

test('what is missing is not needed for the client alone, and the line says so', () => {
  expect(build({ PATH: pathWith() }).stderr).toMatch(/npm install --ignore-scripts\n$/);
});

test('a machine without CMake gets one line with the remedy', () => {
  const { status, stderr } = build({ PATH: pathWith() });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^warmswap: CMake is missing.*install cmake.*\n$/);
});

test('a machine without a compiler gets one line with the remedy', () => {
  const { status, stderr } = build({ PATH: pathWith('cmake', 'make', 'ninja') });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^warmswap: A C\+\+ compiler is missing.*install g\+\+.*\n$/);
});

test('headers that are named but not there get one line with the remedy', () => {
  const { status, stderr } = build({ ONNXRUNTIME_INCLUDE_DIR: '/nowhere' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^warmswap: .*ONNXRUNTIME_INCLUDE_DIR.*\/nowhere.*\n$/);
});
