import { projections } from '../src/app/loops.ts'
import { sessions } from '../src/projections/sessions.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { startRedis } from '../test/support/redis-server.ts'
import { bullmq } from './contenders/bullmq.ts'
import { withRows } from './contenders/rows.ts'
import { DURABLE } from './contenders/sql-log.ts'
import type { Benchmark } from './support/figures.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'

const SESSIONS = 20_000
const ROUNDS = 5

/**
 * The lifecycle on Redis where a session counts only once its row is committed in Postgres (fsync on), beside BullMQ, which
 * writes no row; and the same with every projection that the program runs.
 */
export const rows: Benchmark = async () => {
  const [redis, postgres] = [await startRedis(), await startPostgres(DURABLE)]
  try {
    const row = withRows('ours with rows', [sessions], { redis, postgres })
    const all = withRows('with all projections', projections, { redis, postgres })
    const bull = bullmq(redis)
    const rates = await measureRounds([row, all, bull], { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
      throughput(one, warmUp ? SESSIONS / 4 : SESSIONS),
    )
    console.log(`${rates.ratio(row, bull).toFixed(2)} times BullMQ, ${rates.ratio(all, bull).toFixed(2)} with all`)
    return {
      ratio_to_bullmq: rates.ratio(row, bull),
      all_to_bullmq: rates.ratio(all, bull),
      sessions_per_s: rates.median(row),
      all_per_s: rates.median(all),
      bullmq_per_s: rates.median(bull),
    }
  } finally {
    await postgres.stop()
    await redis.stop()
  }
}
