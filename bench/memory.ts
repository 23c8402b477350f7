import { memoryLog } from '../src/adapters/memory/event-log.ts'
import { ours } from './contenders/ours.ts'
import { PARTITIONS } from './contenders/redis-log.ts'
import { benchEnvironment } from './support/environment.ts'
import type { Benchmark } from './support/figures.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'

const SESSIONS = 10_000
const ROUNDS = 5

/** The engine alone: sessions from publication to completion on the memory log, with an effect that does nothing. */
export const memory: Benchmark = async () => {
  const { clock, newId } = benchEnvironment
  const engine = ours('engine', async () => ({
    log: memoryLog({ partitions: PARTITIONS, clock, newId }),
    close: async () => {},
  }))
  const rates = await measureRounds([engine], { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
    throughput(one, warmUp ? SESSIONS / 10 : SESSIONS),
  )
  return { sessions_per_s: rates.median(engine), rss_mb: process.memoryUsage.rss() / 2 ** 20 }
}
