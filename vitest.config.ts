import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

// Two cores on the smallest machine that we promise to run on, CI's among them.
const CORES = 2

// CI adds up the results of all runs: each process leaves its own file in this folder.
const results = process.env['TEST_RESULTS']
const report = { reporters: ['default', 'json'], outputFile: { json: join(results ?? '', `${process.pid}.json`) } }

export default defineConfig({
  test: {
    ...(results ? report : {}),
    passWithNoTests: true,
    restoreMocks: true,
    maxWorkers: CORES,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // Pure functions only: a test that takes this long does something else.
          testTimeout: 2_000,
          hookTimeout: 2_000,
          // No I/O and no state to keep apart, so the files share one environment and the folder runs in about a second.
          pool: 'threads',
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          // Thousands of seeds in one test: two minutes are promised for all of them.
          testTimeout: 150_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          // Real servers and real processes, started and killed.
          pool: 'forks',
          globalSetup: './test/support/run-folder.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
