import { startRedis } from '../test/support/redis-server.ts'
import { ours } from './contenders/ours.ts'
import { openEmptied } from './contenders/redis-log.ts'
import type { Benchmark } from './support/figures.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'

const SESSIONS = 20_000
const ROUNDS = 5

/** Our part of the lifecycle alone in its process: what to profile. */
export const redis: Benchmark = async () => {
  const server = await startRedis()
  try {
    const contender = ours('ours', () => openEmptied(server))
    const rates = await measureRounds([contender], { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
      throughput(one, warmUp ? SESSIONS / 4 : SESSIONS),
    )
    return { sessions_per_s: rates.median(contender) }
  } finally {
    await server.stop()
  }
}
