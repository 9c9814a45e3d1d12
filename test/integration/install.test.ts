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

function build(environment: NodeJS.ProcessEnv): { status: number | null; stderr: string } {
  const { CXX: _, ...rest } = process.env;
  const result = spawnSync(process.execPath, ['native/build/build-addon.mjs'], {
    env: { ...rest, ...environment },
    encoding: 'utf8',
  });
  return { status: result.status, stderr: result.stderr };
}

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
