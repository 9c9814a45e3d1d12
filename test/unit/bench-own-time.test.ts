import { expect, test } from 'vitest';
import { Child } from '../../bench/lib/child.js';
import { ownProcessorUs } from '../../bench/lib/own-time.js';

const BUSY_US = 400_000;
/** Half of it, since the kernel counts in ticks of 10 ms, and starting Node.js takes time too. */
const MOST_LOST_US = BUSY_US / 2;
/** Is busy for a while, and ends when its standard input does. */
const WORKER = `
  while (process.cpuUsage().user < ${BUSY_US}) for (let i = 0; i < 1e6; i++);
  console.log('done');
  process.stdin.on('end', () => process.exit()).resume();`;
const PARENT = `
  const stdio = ['pipe', 'inherit', 'inherit'];
  require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], { stdio });`;

test('the time of a process whose parent was killed before it counts as our own', async () => {
  const before = childrenUs();
  const child = new Child(process.execPath, ['-e', PARENT, WORKER]);
  await child.until(() => child.lines[0]);
  await child.stop(() => child.process.kill('SIGKILL'));
  expect(childrenUs() - before).toBeGreaterThan(BUSY_US - MOST_LOST_US);
});

test('the time of a process whose parent waited for it is counted once', async () => {
  const before = childrenUs();
  const child = new Child(process.execPath, ['-e', WORKER], { stdin: 'pipe' });
  await child.until(() => child.lines[0]);
  await child.stop(() => child.process.stdin?.end());
  expect(childrenUs() - before).toBeLessThan(2 * BUSY_US);
});

function childrenUs(): number {
  const { user, system } = process.cpuUsage();
  return ownProcessorUs() - user - system;
}
