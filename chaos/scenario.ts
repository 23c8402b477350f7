import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import type { Violation } from '../src/projections/invariants.ts'
import { type Act, describeAct, lastsMs, planActs, WORKERS } from './acts.ts'
import { Chance } from './chance.ts'
import { Operator } from './operator.ts'
import { Producers } from './producers.ts'
import { Readers } from './readers.ts'
import { planSessions, type Route } from './sessions.ts'
import { type Played, Stage, within } from './stage.ts'
import { verdictOn } from './verdict.ts'
import { isAtRest, openWorld, unended, type World, type WorldOptions } from './world.ts'

const REST_MS = 120_000
const EFFECT_MS = [50, 200] as const

export interface ChaosOptions extends Omit<WorldOptions, 'effectMs'> {
  readonly sessions: number
  readonly faults: 'few' | 'all'
  /** After the last fault and the last order everything ends within this; ms. */
  readonly restMs?: number
  /** Prepares the database before anything runs: a fault of ours that the run must find. */
  readonly plant?: (sql: Sql) => Promise<void>
  /** Hears what happens, a line each. */
  readonly say: (line: string) => void
}

export interface ChaosOutcome {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Refunds that the ledger lost with the database's last second; each is in the reconciliation as `missing`. */
  readonly ledgerLost: number
  readonly played: readonly Played[]
  /** Sessions by the fact that they ended with. */
  readonly ends: Readonly<Record<string, number>>
  readonly tries: number
  readonly refunds: number
  readonly repairs: number
  readonly deadLetters: number
  readonly tookMs: number
  /** The folder with what the processes said, when something was wrong. */
  readonly evidence: string | null
}

/** One run under the faults of one seed: the same faults in the same order each time; what they meet differs with timing. */
export const runChaos = async (options: ChaosOptions): Promise<ChaosOutcome> => {
  const startedAt = Date.now()
  const world = await openWorld({ ...options, effectMs: EFFECT_MS })
  let keep = true
  try {
    await options.plant?.(world.servers.sql)
    const outcome = await play(options, world)
    keep = outcome.violations.length > 0
    return { ...outcome, tookMs: Date.now() - startedAt, evidence: keep ? world.folder : null }
  } finally {
    await world.close(keep)
  }
}

const play = async (options: ChaosOptions, world: World): Promise<Omit<ChaosOutcome, 'tookMs' | 'evidence'>> => {
  const { servers, fleet } = world
  const { seed, log, partitions } = options
  const chance = new Chance(seed)
  const acts = planActs(chance, options.faults, log !== 'postgres')
  const routes: [Route, ...Route[]] = log === 'redis' ? ['list', 'http', 'inbox'] : ['http', 'inbox']
  const sessions = planSessions(chance, options.sessions, routes)
  const producers = new Producers(sessions, world.doors)
  const stage = new Stage(world, partitions)
  for (let slot = 0; slot < WORKERS; slot++) await fleet.start(slot)
  if (!(await stage.whole())) throw new Error(`the processes did not take all partitions: ${stage.still().join('; ')}`)
  const operator = new Operator(() => fleet.urls)
  const readers = new Readers(servers.sql, () => [...producers.acknowledged.keys()])
  const [played] = await Promise.all([
    playAll(acts, { options, stage, producers, readers, chance, sql: servers.sql }),
    producers.run(lastsMs(acts)),
  ])
  const rested = await within(options.restMs ?? REST_MS, () => isAtRest(servers.sql))
  await Promise.all([operator.stop(), readers.stop()])
  const verdict = await verdictOn({ world, stage, producers, readers, operator, sessions, played, rested })
  return { seed, played, ...verdict, repairs: operator.repaired.length }
}

interface Playing {
  readonly options: ChaosOptions
  readonly stage: Stage
  readonly producers: Producers
  readonly readers: Readers
  readonly chance: Chance
  readonly sql: Sql
}

const playAll = async (acts: readonly Act[], playing: Playing): Promise<Played[]> => {
  const { options, stage, producers, readers, chance, sql } = playing
  const played: Played[] = []
  for (const act of acts) {
    await sleep(chance.between(200, 800))
    const one = await stage.play(act)
    played.push(one)
    options.say(`${describeAct(act)}: ${one.wholeAfterMs ?? 'never'} ms until all partitions moved`)
    if (act.kind !== 'lose last second') continue
    // There the tables lie in the log's own database: readers saw what never was.
    if (options.log === 'postgres') readers.forget()
    // Also what was acknowledged since: an answer may have been on its way while the log lost what it tells of.
    await producers.again(await unended(sql, [...producers.acknowledged.keys()]))
  }
  return played
}
