import { sessionTable } from '../machines/compile.ts'
import { type Violation, violations } from '../projections/invariants.ts'
import { endsOf, evidenceOf, isAtRest } from './evidence.ts'
import { loseTheTail, replaceTheLog, stopTheLedger, stopTheStore } from './mishaps.ts'
import { playClients, playOperator, playPlatform } from './players.ts'
import type { FaultRates } from './process.ts'
import { playProducer } from './producer.ts'
import { plan } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { CHAOS_MS, type Stage } from './stage.ts'
import { playWayBack } from './way-back-play.ts'
import { type Plants, World } from './world.ts'

const SESSIONS = 16
/** In every so many runs operators pause, hand back and go on. */
const WAY_BACK_EVERY = 4
/** In every so many the log does not lose its tail, but is replaced by an empty one. */
const NEW_LOG_EVERY = 7
const PROCESSES = 3
const START = Date.UTC(2026, 0, 1)
const END_MS = 4 * 3_600_000

const rates: FaultRates = { crash: 0.0004, pause: 0.0003, lostCall: 0.01, slowCall: 0.003, lostAnswer: 0.01 }

export interface SimulationReport {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** How the accepted sessions ended. */
  readonly ends: Readonly<Record<string, number>>
}

/** One run of the whole system under faults, then in calm until it rests. The same seed is the same run. */
export const simulate = async (seed: number, plants: Plants = {}): Promise<SimulationReport> => {
  const stage = stageOf(seed, plants)
  const { scheduler, world } = stage
  for (let index = 1; index <= PROCESSES; index++) world.startProcess(`process-${index}`)
  for (const session of stage.planned.values()) playProducer(stage, session)
  playOperator(stage)
  playPlatform(stage)
  playClients(stage)
  if (world.hasWayBack) playWayBack(stage)
  if (scheduler.chance(0.3)) stopTheStore(stage)
  if (seed % NEW_LOG_EVERY === 6) replaceTheLog(stage)
  else if (scheduler.chance(0.3)) loseTheTail(stage)
  if (scheduler.chance(0.3)) stopTheLedger(stage)
  scheduler.after(CHAOS_MS, () => {
    world.calm = true
  })
  const rested = await scheduler.run(() => isAtRest(stage), START + END_MS)
  const found = violations(sessionTable, evidenceOf(stage), { atRest: true })
  if (!rested && found.length === 0)
    found.push({ promise: 'nothing accepted is lost', about: 'the run', what: 'it never came to rest' })
  return { seed, violations: found, ends: endsOf(stage) }
}

const stageOf = (seed: number, plants: Plants): Stage => {
  const scheduler = new Scheduler(seed, START)
  const planned = new Map(plan(scheduler, SESSIONS).map((session) => [session.id, session]))
  return {
    scheduler,
    world: new World(scheduler, planned, { rates, plants, hasWayBack: seed % WAY_BACK_EVERY === 0 }),
    planned,
    accepted: new Set(),
    failedPushes: new Map(),
    readings: [],
    pushesLeft: 0,
    startedAt: START,
    pauses: [],
    lostAt: Number.NEGATIVE_INFINITY,
  }
}
