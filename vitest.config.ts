import { defineConfig } from 'vitest/config'

// Two cores on the smallest machine that we promise to run on, CI's among them.
const CORES = 2

export default defineConfig({
  test: {
    passWithNoTests: true,
    restoreMocks: true,
    maxWorkers: CORES,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Pure functions only: one that takes this long is not one.
          testTimeout: 2_000,
          hookTimeout: 2_000,
          // No I/O and no shared state to keep apart, so the files share one environment and the folder runs in about a second.
          isolate: false,
          pool: 'threads',
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 150_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
    ],
  },
})
