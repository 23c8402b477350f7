import { describe, expect, it } from 'vitest'
import { planActs } from '../../chaos/acts.ts'
import { Chance } from '../../chaos/chance.ts'
import { runChaos } from '../../chaos/scenario.ts'
import { runThreeProcesses } from '../../chaos/three-processes.ts'
import { hasKafka } from '../support/kafka-server.ts'
import { hasPostgres } from '../support/postgres-server.ts'
import { hasRedis } from '../support/redis-server.ts'
import { plantUnrecordedRefunds } from '../support/unrecorded-refunds.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)
/** A minute of patience more than what is waited for inside. */
const TEST_MS = 240_000

const short = { sessions: 200, seed: SEED, partitions: 16, faults: 'few', say: () => undefined } as const

describe(`real processes and servers under faults (seed ${SEED})`, () => {
  it.runIf(hasRedis && hasPostgres)('keeps every promise on Redis', { timeout: TEST_MS }, () => keeps('redis'))
  it.runIf(hasPostgres)('keeps every promise on PostgreSQL', { timeout: TEST_MS }, () => keeps('postgres'))
  it.runIf(hasKafka && hasPostgres)('keeps every promise on Kafka', { timeout: TEST_MS }, () => keeps('kafka'))

  it.runIf(hasRedis && hasPostgres)('sees a refund that is paid without its record', { timeout: TEST_MS }, async () => {
    const { violations } = await runChaos({
      ...short,
      log: 'redis',
      seed: seedThatKillsSecond(SEED),
      sessions: 400,
      plant: plantUnrecordedRefunds,
      // So late that all of a process's refunds are paid and not yet recorded at nearly every moment, and so at its kill.
      refundAnswerMs: 3_000,
      // A store's second refund is refused by its unique key again and again: this never comes to rest.
      restMs: 2_000,
    })
    expect(violations.map(({ promise }) => promise)).toContain('nothing is done twice where it costs money')
  })
})

/** The kill comes neither before the first refunds nor after the last ones, however slow the machine is. */
const seedThatKillsSecond = (from: number): number => {
  const seeds = Array.from({ length: 1_000 }, (_, index) => from + index)
  return seeds.find((seed) => planActs(new Chance(seed), short.faults, true)[1]?.kind === 'kill') ?? from
}

const keeps = async (log: 'redis' | 'kafka' | 'postgres') => {
  const { violations, evidence, played } = await runChaos({ ...short, log })
  expect({ violations, evidence }).toEqual({ violations: [], evidence: null })
  expect(played.flatMap(({ recoveriesMs }) => recoveriesMs).length).toBeGreaterThan(0)
}

describe.runIf(hasRedis && hasPostgres)('two processes and a third', () => {
  it('moves the partitions when one joins, leaves and stands still, and starts nothing twice', {
    timeout: TEST_MS,
  }, async () => {
    const { violations, holds, underWay, stuck } = await runThreeProcesses({
      seed: SEED,
      partitions: 12,
      paceMs: 2_000,
      perSecond: 40,
    })
    expect({ violations, stuck }).toEqual({ violations: [], stuck: [] })
    expect(holds.map(({ partitions }) => partitions)).toEqual([
      { first: 4, second: 4, third: 4 },
      { first: 6, third: 6 },
      { first: 0, third: 12 },
      { first: 6, third: 6 },
    ])
    expect(underWay).toBeGreaterThan(0)
  })
})
