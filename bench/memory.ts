import { memoryLog } from '../src/adapters/memory/event-log.ts'
import { benchEnvironment, median } from './environment.ts'
import { noOpWorker, publishAll, task } from './lifecycle.ts'

const SESSIONS = 10_000
const ROUNDS = 5
const PARTITIONS = 64
const CONCURRENCY = 200

/** 10,000 sessions from publication to completion on the memory log, with an effect that does nothing. */
export const memory = async ({ json }: { json: boolean }): Promise<void> => {
  const rates: number[] = []
  await round(SESSIONS / 10)
  for (let index = 0; index < ROUNDS; index++) {
    const ms = await round(SESSIONS)
    rates.push((SESSIONS / ms) * 1000)
    console.log(
      `round ${index + 1}: ${SESSIONS} sessions in ${ms.toFixed(0)} ms, ${Math.round(rates.at(-1) ?? 0)} sessions/s`,
    )
  }
  const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20)
  console.log(`median: ${Math.round(median(rates))} sessions/s, resident memory ${rssMb} MB`)
  if (json) console.log(JSON.stringify({ bench: 'memory', sessions_per_s: Math.round(median(rates)), rss_mb: rssMb }))
}

const round = async (sessions: number): Promise<number> => {
  const log = memoryLog({
    partitions: PARTITIONS,
    clock: benchEnvironment.clock,
    newId: () => benchEnvironment.newId(),
  })
  const stop = new AbortController()
  let completed = 0
  const closed = Promise.withResolvers<void>()
  const env = {
    ...benchEnvironment,
    meter: {
      ...benchEnvironment.meter,
      // Counted once the fact is durable, not when the effect returns.
      count: (name: string, labels?: Readonly<Record<string, string>>) => {
        if (name === 'facts_total' && labels?.['type'] === 'generation.completed' && ++completed === sessions)
          closed.resolve()
      },
    },
  }
  const running = noOpWorker(log, env, CONCURRENCY, () => {}).run(() => {}, stop.signal)
  const tasks = Array.from({ length: sessions }, task)
  const startedAt = performance.now()
  await publishAll(log, tasks, 500)
  await closed.promise
  const ms = performance.now() - startedAt
  stop.abort()
  await running
  return ms
}
