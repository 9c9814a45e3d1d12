import { expect, test } from 'vitest';
import { runChaos } from '../chaos/chaos.js';

/** `npm run test:chaos` is the long version. */
test('workers and supervisors killed at random lose only what the killed worker held', async () => {
  const report = await runChaos({ seconds: 10, seed: 1 });
  expect(report.violations).toEqual([]);
  expect(report.workerKills).toBeGreaterThan(0);
  expect(report.supervisorKills).toBeGreaterThan(0);
  expect(report.swaps.committed + report.swaps.aborted).toBeGreaterThan(0);
  expect(report.requests).toBeGreaterThan(report.lost);
}, 180_000);
