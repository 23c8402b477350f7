import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Commit, EventLog } from '../src/machines/ports/event-log.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { openEmptied } from './contenders/redis-log.ts'
import { type Engine, startEngine } from './support/engine.ts'
import { type Benchmark, load, median, peakRssMb } from './support/figures.ts'
import { newTask, newTasks, publishAll } from './support/task.ts'
import { countTo, within } from './support/within.ts'

const QUEUED = 300_000
/** 500 effects a second, of which one ends every 2 ms: busy for ten minutes, so the backlog stays while we look. */
const EFFECT_MS = 200
const CONCURRENCY = 100
const PROBES = 30
const WARM_UP = 2_000
const PRODUCER = join(import.meta.dirname, 'processes/producer.ts')

interface Waits {
  /** From publication until the session's start, and until its end, is durable, ms. */
  readonly started: number
  readonly ended: number
}

/**
 * 300,000 queued tasks of one tenant: the memory of the process that works them, and how long other tenants' first tasks
 * take, beside the same on an empty system.
 */
export const backlog: Benchmark = async () => {
  const server = await startRedis()
  const { log, close } = await openEmptied(server)
  const engine = startEngine({ log, concurrency: CONCURRENCY, effectMs: EFFECT_MS })
  try {
    await engine.holds(log.partitions)
    await settle(
      engine,
      () => publishAll(log, newTasks(WARM_UP)),
      WARM_UP,
      (commit) => commit.tombstones.length,
    )
    const empty = await probe(log, engine)
    console.log(row('nothing queued', empty))
    const startedAt = performance.now()
    const produce = () => promisify(execFile)(process.execPath, [PRODUCER, server.url, `${QUEUED}`])
    await settle(engine, produce, QUEUED, countRequested)
    console.log(`${QUEUED} tasks were queued within ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
    const loaded = await probe(log, engine)
    console.log(row(`behind ${QUEUED}`, loaded))
    console.log(`at most ${peakRssMb().toFixed(0)} MB in memory`)
    return {
      rss_mb: peakRssMb(),
      first_task_ratio: loaded.ended / empty.ended,
      empty_started_ms: empty.started,
      empty_ended_ms: empty.ended,
      backlog_started_ms: loaded.started,
      backlog_ended_ms: loaded.ended,
    }
  } finally {
    await engine.stop()
    await close()
    await server.stop()
  }
}

const countRequested = ({ step }: Commit): number =>
  step?.facts.filter(({ type }) => type === 'generation.requested').length ?? 0

/** Does something, and waits until so many of what it brings were committed. */
const settle = async (
  engine: Engine,
  work: () => Promise<unknown>,
  wanted: number,
  count: (commit: Commit) => number,
): Promise<void> => {
  const there = countTo(wanted)
  engine.onCommit((commit) => there.add(count(commit)))
  await work()
  await within(there.reached, 'end of the intake')
}

/** Publishes one task after the other, each the first of its tenant. */
const probe = async (log: EventLog, engine: Engine): Promise<Waits> => {
  const waits: Waits[] = []
  for (let index = 0; index < PROBES; index++) waits.push(await probeOnce(log, engine))
  return { started: median(waits.map(({ started }) => started)), ended: median(waits.map(({ ended }) => ended)) }
}

const probeOnce = async (log: EventLog, engine: Engine): Promise<Waits> => {
  const task = newTask()
  let started = Number.NaN
  const end = Promise.withResolvers<number>()
  const publishedAt = performance.now()
  engine.onCommit(({ step, tombstones }) => {
    const since = performance.now() - publishedAt
    if (step?.facts.some(({ type, sessionId }) => type === 'generation.started' && sessionId === task.id))
      started = since
    if (tombstones.some(({ id }) => id === task.id)) end.resolve(since)
  })
  await publishAll(log, [task])
  return { ended: await within(end.promise, 'end of a first task'), started }
}

const row = (title: string, { started, ended }: Waits): string =>
  `${title}: the first task of a tenant starts after ${started.toFixed(1)} ms and ends after ${ended.toFixed(1)} ms   (${load()})`
