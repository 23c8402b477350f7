import { startRedis } from '../test/support/redis-server.ts'
import { bullmq } from './contenders/bullmq.ts'
import { KAFKA_WARM_UP, kafkaPlace } from './contenders/kafka-log.ts'
import { ours } from './contenders/ours.ts'
import type { Benchmark } from './support/figures.ts'
import { measureLatencies } from './support/latency.ts'
import { measureRounds } from './support/rounds.ts'
import { throughput } from './support/throughput.ts'

const SESSIONS = 10_000
const ROUNDS = 5
const LATENCY = { slices: 3, sessions: 200 }

/** The lifecycle on Kafka alone beside BullMQ: what to profile, and to look at in a minute. */
export const kafka: Benchmark = async () => {
  const [server, place] = [await startRedis(), await kafkaPlace()]
  try {
    const [our, bull] = [ours('Kafka', () => place.open()), bullmq(server)]
    const rates = await measureRounds([our, bull], { rounds: ROUNDS, unit: 'sessions/s' }, (one, warmUp) =>
      throughput(one, warmUp ? KAFKA_WARM_UP : SESSIONS),
    )
    const latencies = await measureLatencies([our], LATENCY)
    return {
      kafka_per_s: rates.median(our),
      kafka_to_bullmq: rates.ratio(our, bull),
      kafka_p50_ms: latencies.p50(our),
      kafka_p99_ms: latencies.p99(our),
    }
  } finally {
    await place.close()
    await server.stop()
  }
}
