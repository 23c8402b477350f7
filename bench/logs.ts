import { startRedis } from '../test/support/redis-server.ts'
import { bullmq } from './contenders/bullmq.ts'
import type { Contender } from './contenders/contender.ts'
import { KAFKA_WARM_UP, kafkaPlace } from './contenders/kafka-log.ts'
import { ours } from './contenders/ours.ts'
import { openEmptied } from './contenders/redis-log.ts'
import { embeddedPlace, postgresPlace } from './contenders/sql-log.ts'
import type { Benchmark } from './support/figures.ts'
import { measureLatencies } from './support/latency.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'

const SESSIONS = 10_000
const ROUNDS = 5
const LATENCY = { slices: 5, sessions: 200 }

/** The lifecycle on every log that the program can run on, beside BullMQ: rate, and latency at 100 a second. */
export const logs: Benchmark = async () => {
  const server = await startRedis()
  const [onKafka, onPostgres, onEmbedded] = [await kafkaPlace(), await postgresPlace(), await embeddedPlace()]
  try {
    const contenders = {
      redis: ours('Redis', () => openEmptied(server)),
      kafka: ours('Kafka', () => onKafka.open()),
      postgres: ours('Postgres', () => onPostgres.open()),
      pglite: ours('PGlite', () => onEmbedded.open()),
      bullmq: bullmq(server),
    }
    const all = Object.values(contenders)
    const warmUpOf = (one: Contender) => (one === contenders.kafka ? KAFKA_WARM_UP : SESSIONS / 4)
    const rates = await measureRounds(all, { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
      throughput(one, warmUp ? warmUpOf(one) : SESSIONS),
    )
    const latencies = await measureLatencies(all, LATENCY)
    const figures: Record<string, number> = {}
    for (const [name, one] of Object.entries(contenders)) {
      figures[`${name}_per_s`] = rates.median(one)
      figures[`${name}_p50_ms`] = latencies.p50(one)
      figures[`${name}_p99_ms`] = latencies.p99(one)
      if (one !== contenders.bullmq) figures[`${name}_to_bullmq`] = rates.ratio(one, contenders.bullmq)
    }
    return figures
  } finally {
    for (const place of [onKafka, onPostgres, onEmbedded]) await place.close()
    await server.stop()
  }
}
