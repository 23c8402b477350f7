import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { simulateMany } from '../../src/simulation/many.ts'
import { simulate } from '../../src/simulation/simulate.ts'

const SEEDS = 2_000

it(`keeps every promise in ${SEEDS} runs of the whole system under faults`, { timeout: 300_000 }, async () => {
  const failed = await simulateMany({ from: 1, seeds: SEEDS, workers: availableParallelism() })
  expect(failed.failures, 'replay one with: npm run sim -- --seed N').toEqual([])
})

it.each([[701_610, 'two slots were granted to one session, and two of its tries ran at once']])(
  'keeps every promise in run %i, where once %s',
  async (seed) => {
    expect((await simulate(seed)).violations).toEqual([])
  },
)
