import { startRedis } from '../test/support/redis-server.ts'
import { bullmq } from './contenders/bullmq.ts'
import { ours } from './contenders/ours.ts'
import { raw } from './contenders/raw.ts'
import { openEmptied } from './contenders/redis-log.ts'
import type { Benchmark } from './support/figures.ts'
import { measureLatencies } from './support/latency.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'
import { workerRssMb } from './support/worker-memory.ts'

const SESSIONS = 20_000
const ROUNDS = 7
/** 4,000 sessions of each, so that 40 of them lie beyond the 99th percentile: of half as many it moved by a third. */
const LATENCY = { slices: 20, sessions: 200 }

/**
 * 20,000 sessions from submission to completion, all state durable: our log, BullMQ doing the same job, and the raw limit.
 * One process, one Redis (appendonly everysec).
 */
export const lifecycle: Benchmark = async () => {
  const server = await startRedis()
  try {
    const our = ours('ours', () => openEmptied(server))
    const [bull, limit] = [bullmq(server), raw(server)]
    const rates = await measureRounds([our, bull, limit], { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
      throughput(one, warmUp ? SESSIONS / 4 : SESSIONS),
    )
    const [toBullmq, toRaw] = [rates.ratio(our, bull), rates.ratio(our, limit)]
    console.log(`${toBullmq.toFixed(2)} times BullMQ, ${toRaw.toFixed(2)} times the raw limit`)
    const latencies = await measureLatencies([our, bull], LATENCY)
    const rssMb = await workerRssMb(server, SESSIONS)
    console.log(`a worker process held at most ${rssMb.toFixed(0)} MB`)
    return {
      ratio_to_bullmq: toBullmq,
      ratio_to_raw: toRaw,
      sessions_per_s: rates.median(our),
      bullmq_per_s: rates.median(bull),
      raw_per_s: rates.median(limit),
      p50_ms: latencies.p50(our),
      p99_ms: latencies.p99(our),
      bullmq_p50_ms: latencies.p50(bull),
      bullmq_p99_ms: latencies.p99(bull),
      p50_to_bullmq: latencies.p50(our) / latencies.p50(bull),
      p99_to_bullmq: latencies.p99(our) / latencies.p99(bull),
      rss_mb: rssMb,
    }
  } finally {
    await server.stop()
  }
}
