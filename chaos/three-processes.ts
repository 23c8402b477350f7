import { setTimeout as sleep } from 'node:timers/promises'
import type { Violation } from '../src/projections/invariants.ts'
import { readEvidence } from '../test/support/evidence.ts'
import { Chance } from './chance.ts'
import { judge } from './judge.ts'
import type { Timeline } from './plot.ts'
import { Producers } from './producers.ts'
import { planSessions } from './sessions.ts'
import { Stage, within } from './stage.ts'
import { isAtRest, openWorld, type World } from './world.ts'

/** Long enough that some are under way at every moment. */
const EFFECT_MS = [200, 800] as const
/** Longer than a lease, so that the others take over. */
const FROZEN_MS = 8_000
const REST_MS = 60_000

export interface ThreeOptions {
  readonly seed: number
  readonly partitions: number
  /** Between two events, ms. */
  readonly paceMs: number
  readonly perSecond: number
}

export interface ThreeOutcome {
  readonly violations: readonly Violation[]
  readonly timeline: Timeline
  /** Sessions whose try was under way when its partition moved to another process: what could have been started twice. */
  readonly underWay: number
  /** How many partitions each process held after each event, by its name. */
  readonly holds: readonly { readonly after: string; readonly partitions: Readonly<Record<string, number>> }[]
  readonly stuck: readonly string[]
}

/** Two processes under a steady load on Redis; a third joins, one leaves, and one is stopped for longer than its lease. */
export const runThreeProcesses = async (options: ThreeOptions): Promise<ThreeOutcome> => {
  const { seed, partitions } = options
  const world = await openWorld({ log: 'redis', seed, partitions, effectMs: EFFECT_MS })
  try {
    return await play(options, world)
  } finally {
    await world.close(false)
  }
}

const NAMES = ['first', 'second', 'third']

const play = async ({ seed, partitions, paceMs, perSecond }: ThreeOptions, world: World): Promise<ThreeOutcome> => {
  const { fleet, ownership, servers, provider } = world
  const stage = new Stage(world, partitions)
  await Promise.all([fleet.start(0), fleet.start(1)])
  await stage.even()
  const spreadMs = 4 * paceMs + FROZEN_MS
  const sessions = planSessions(new Chance(seed), Math.round((spreadMs / 1_000) * perSecond), ['inbox'])
  const producers = new Producers(sessions, world.doors)
  const startedAt = Date.now()
  const events: { readonly at: number; readonly label: string }[] = []
  const holds: ThreeOutcome['holds'][number][] = []
  const event = async (label: string, work: () => Promise<void> | void) => {
    await sleep(paceMs)
    events.push({ at: Date.now(), label })
    await work()
    await stage.whole()
    await stage.even()
    holds.push({ after: label, partitions: heldNow(world) })
  }
  const script = async () => {
    await event('third joins', () => fleet.start(2))
    await event('second leaves', () => fleet.stop(1))
    await event('first is stopped', async () => {
      const until = sleep(FROZEN_MS)
      fleet.freeze(0)
      await stage.whole()
      holds.push({ after: 'others took over', partitions: heldNow(world) })
      await until
      events.push({ at: Date.now(), label: 'first goes on' })
      fleet.thaw(0)
    })
    await sleep(paceMs)
  }
  await Promise.all([script(), producers.run(spreadMs)])
  const endedAt = Date.now()
  await within(REST_MS, () => isAtRest(servers.sql))
  await fleet.stopAll()
  const shown = await readEvidence(servers.sql, new Set(producers.acknowledged.keys()))
  const { tries } = provider
  const seen = { sessions, shown, tries, readings: [], committed: ownership.committed, silences: fleet.silences }
  return {
    violations: judge({ ...seen, lostAt: null }),
    timeline: { startedAt, endedAt, events, committed: ownership.committed, held: ownership.history, names: NAMES },
    underWay: tries.filter(({ startedAt: from, endedAt: to }) =>
      events.some(({ at }) => from < at && (to === null || to > at)),
    ).length,
    holds,
    stuck: [...fleet.exits, ...stage.stuck],
  }
}

/** By the processes' names. */
const heldNow = ({ fleet, ownership }: World): Record<string, number> =>
  Object.fromEntries(
    NAMES.flatMap((name, slot) => (fleet.isThere(slot) ? [[name, ownership.heldBy(fleet.life(slot)).length]] : [])),
  )
