import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          env: {
            // Artifacts of the tests are nobody else's.
            WARMSWAP_STORE: join(import.meta.dirname, 'build', 'test-store'),
            // They are of the processor, also where there is a GPU: test/gpu is for that.
            CUDA_VISIBLE_DEVICES: '-1',
          },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Many processes on few cores: what fails once and not twice is named (flaky-reporter.ts).
          retry: process.env['CI'] ? 1 : 0,
        },
      },
    ],
  },
});
