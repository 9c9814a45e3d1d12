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
          // Artifacts of the tests are nobody else's.
          env: { WARMSWAP_STORE: join(import.meta.dirname, 'build', 'test-store') },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
