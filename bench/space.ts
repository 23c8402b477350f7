import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Commit } from '../src/machines/ports/event-log.ts'
import { type RedisServer, startRedis } from '../test/support/redis-server.ts'
import { openEmptied } from './contenders/redis-log.ts'
import { type Engine, startEngine } from './support/engine.ts'
import type { Benchmark } from './support/figures.ts'
import { newTasks, publishAll } from './support/task.ts'
import { countTo, within } from './support/within.ts'

/** The costs of a session are those of the last 60,000: the first 20,000 pay for tables, pages and the resident ones. */
const FROM = 20_000
const TO = 80_000
const STEP = 20_000
/** Longer than the benchmark: whoever begins stays processing, and the others queued. */
const ENDLESS_MS = 3_600_000

interface Held {
  readonly redis: number
  readonly process: number
}

/** What an open and a finished session take in Redis once its journal is trimmed, and an open one in our process. */
export const space: Benchmark = async () => {
  const server = await startRedis()
  try {
    const queued = await perSession(server, 'queued', { concurrency: 1, effectMs: ENDLESS_MS }, (commit) =>
      commit.step === null ? 0 : commit.step.facts.filter(({ type }) => type === 'generation.requested').length,
    )
    const finished = await perSession(server, 'finished', {}, ({ tombstones }) => tombstones.length)
    const ofQueued = `${queued.redis.toFixed(0)} bytes in Redis and ${queued.process.toFixed(0)} in this process`
    console.log(`a queued session takes ${ofQueued}, a finished one ${finished.redis.toFixed(0)} in Redis`)
    return {
      redis_bytes_per_queued: queued.redis,
      process_bytes_per_queued: queued.process,
      redis_bytes_per_finished: finished.redis,
    }
  } finally {
    await server.stop()
  }
}

const perSession = async (
  server: RedisServer,
  state: string,
  options: { concurrency?: number; effectMs?: number },
  arrivals: (commit: Commit) => number,
): Promise<Held> => {
  const { log, close } = await openEmptied(server)
  const engine = startEngine({ log, ...options })
  try {
    await engine.holds(log.partitions)
    const grow = async (sessions: number) => {
      const there = countTo(sessions)
      engine.onCommit((commit) => there.add(arrivals(commit)))
      await publishAll(log, newTasks(sessions))
      await within(there.reached, `${state} session`)
      return heldNow(server, engine)
    }
    const first = await grow(FROM)
    let last = first
    for (let sessions = FROM + STEP; sessions <= TO; sessions += STEP) {
      last = await grow(STEP)
      const [inRedis, inProcess] = [last.redis, last.process].map((bytes) => (bytes / 2 ** 20).toFixed(1))
      console.log(`${sessions} ${state}: Redis holds ${inRedis} MB, this process ${inProcess} MB`)
    }
    const per = (bytes: keyof Held) => (last[bytes] - first[bytes]) / (TO - FROM)
    return { redis: per('redis'), process: per('process') }
  } finally {
    await engine.stop()
    await close()
  }
}

const heldNow = async (server: RedisServer, engine: Engine): Promise<Held> => {
  await engine.trim()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  // Without the buffers of connections, which come and go.
  const [, redis] = server.cli('info', 'memory').match(/used_memory_dataset:(\d+)/) ?? []
  return { redis: Number(redis), process: heapUsed + external }
}
