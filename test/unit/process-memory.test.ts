import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readProcessMemory } from '../../src/supervisor/process-memory.js';

test('the memory of this process adds up', async () => {
  const { rssBytes, pssBytes, privateBytes, sharedBytes } = await readProcessMemory(process.pid);
  expect(privateBytes + sharedBytes).toBe(rssBytes);
  expect(privateBytes).toBeGreaterThan(2 ** 20);
  expect(sharedBytes).toBeGreaterThan(0);
  expect(pssBytes).toBeGreaterThan(privateBytes);
  expect(pssBytes).toBeLessThan(rssBytes);
});

test('memory that this process takes is counted, in bytes and as its own', async () => {
  const before = await readProcessMemory(process.pid);
  const block = Buffer.alloc(64 * 2 ** 20, 1);
  const after = await readProcessMemory(process.pid);
  expect(after.privateBytes - before.privateBytes).toBeGreaterThan(block.length / 2);
  expect(after.privateBytes - before.privateBytes).toBeLessThan(block.length * 2);
});

test('a process that is gone, and no process, have none', async () => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  const { pid = 0 } = child;
  await once(child, 'exit');
  const none = { rssBytes: 0, pssBytes: 0, privateBytes: 0, sharedBytes: 0 };
  expect(await readProcessMemory(pid)).toEqual(none);
  expect(await readProcessMemory(0)).toEqual(none);
});
