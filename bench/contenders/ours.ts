import { setTimeout as sleep } from 'node:timers/promises'
import { openConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { benchEnvironment } from '../environment.ts'
import { noOpWorker, publishAll, task } from '../lifecycle.ts'
import { BATCH, CONCURRENCY, type Contender } from './contender.ts'

const PARTITIONS = 64

/** The engine with its machine and schemas, on the log in Redis. */
export const ours: Contender = {
  name: 'ours',
  throughput: (url, sessions) =>
    withWorker(url, async (log, onCompleted) => {
      const tasks = Array.from({ length: sessions }, task)
      const completed = Promise.withResolvers<void>()
      let left = sessions
      onCompleted(() => (--left === 0 ? completed.resolve() : undefined))
      const startedAt = performance.now()
      await publishAll(log, tasks, BATCH)
      await completed.promise
      return performance.now() - startedAt
    }),
  latencies: (url, sessions, everyMs) =>
    withWorker(url, async (log, onCompleted) => {
      const submittedAt: number[] = []
      const tookMs: number[] = []
      const completed = Promise.withResolvers<void>()
      // One at a time is under way, or they end in the order in which they came.
      onCompleted(() => {
        tookMs.push(performance.now() - (submittedAt[tookMs.length] ?? 0))
        if (tookMs.length === sessions) completed.resolve()
      })
      for (let index = 0; index < sessions; index++) {
        submittedAt.push(performance.now())
        await publishAll(log, [task()], 1)
        await sleep(everyMs)
      }
      await completed.promise
      return tookMs
    }),
}

const withWorker = async <Result>(
  url: string,
  work: (log: EventLog, onCompleted: (listener: () => void) => void) => Promise<Result>,
): Promise<Result> => {
  let listener = () => {}
  const redis = await openConnection({ url, onWarning: () => {} })
  const log = await openRedisLog({
    redis,
    partitions: PARTITIONS,
    clock: benchEnvironment.clock,
    newId: () => benchEnvironment.newId(),
  })
  const stop = new AbortController()
  const env = {
    ...benchEnvironment,
    meter: {
      ...benchEnvironment.meter,
      // Counted once the fact is durable, not when the effect returns.
      count: (name: string, labels?: Readonly<Record<string, string>>) => {
        if (name === 'facts_total' && labels?.['type'] === 'generation.completed') listener()
      },
    },
  }
  const worker = noOpWorker(log, env, CONCURRENCY, () => {})
  const running = worker.run(() => {}, stop.signal)
  while (worker.partitions.filter(({ state }) => state === 'running').length < PARTITIONS) await sleep(10)
  const result = await work(log, (given) => {
    listener = given
  })
  stop.abort()
  await running
  await log.close()
  await redis.close()
  return result
}
