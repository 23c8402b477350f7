import { loadavg } from 'node:os'
import { startRedis } from '../test/support/redis-server.ts'
import { bullmq } from './contenders/bullmq.ts'
import { type Contender, quantile } from './contenders/contender.ts'
import { ours } from './contenders/ours.ts'
import { raw } from './contenders/raw.ts'
import { median } from './environment.ts'

const SESSIONS = 20_000
const ROUNDS = 5
const LATENCY_SESSIONS = 1_000
/** 100 a second. */
const LATENCY_EVERY_MS = 10

/**
 * 20,000 sessions from submission to completion, all state durable: our log, BullMQ doing the same job, and the raw limit.
 * One process, one Redis (appendonly everysec), rounds interleaved.
 */
export const lifecycle = async ({ json }: { json: boolean }): Promise<void> => {
  const server = await startRedis()
  try {
    const contenders: readonly Contender[] = [ours, bullmq, raw]
    const rates = new Map<Contender, number[]>(contenders.map((one) => [one, []]))
    for (let round = 0; round <= ROUNDS; round++) {
      for (const contender of contenders) {
        server.cli('flushall')
        const ms = await contender.throughput(server.url, round === 0 ? SESSIONS / 4 : SESSIONS)
        if (round > 0) rates.get(contender)?.push((SESSIONS / ms) * 1000)
      }
      if (round > 0) console.log(row(`round ${round}`, contenders, (one) => rates.get(one)?.at(-1) ?? 0))
    }
    const rate = (contender: Contender) => median(rates.get(contender) ?? [])
    console.log(row('median', contenders, rate))
    const latencies = new Map<Contender, number[]>()
    for (const contender of [ours, bullmq]) {
      server.cli('flushall')
      latencies.set(contender, await contender.latencies(server.url, LATENCY_SESSIONS, LATENCY_EVERY_MS))
    }
    const ms = (contender: Contender, share: number) => quantile(latencies.get(contender) ?? [], share)
    for (const one of [ours, bullmq])
      console.log(`${one.name} at 100/s: p50 ${ms(one, 0.5).toFixed(2)} ms, p99 ${ms(one, 0.99).toFixed(2)} ms`)
    const ratioTo = (other: Contender) => {
      const others = rates.get(other) ?? []
      // Of each round, because its contenders met the same machine: its load changes from round to round.
      return median((rates.get(ours) ?? []).map((mine, index) => mine / (others[index] ?? Number.NaN)))
    }
    const [ratioToBullmq, ratioToRaw] = [ratioTo(bullmq), ratioTo(raw)]
    console.log(`${ratioToBullmq.toFixed(2)} times BullMQ, ${ratioToRaw.toFixed(2)} times the raw limit`)
    if (json) {
      console.log(
        JSON.stringify({
          bench: 'lifecycle',
          ratio_to_bullmq: round(ratioToBullmq),
          ratio_to_raw: round(ratioToRaw),
          sessions_per_s: Math.round(rate(ours)),
          bullmq_per_s: Math.round(rate(bullmq)),
          raw_per_s: Math.round(rate(raw)),
          p50_ms: round(ms(ours, 0.5)),
          p99_ms: round(ms(ours, 0.99)),
          bullmq_p50_ms: round(ms(bullmq, 0.5)),
          bullmq_p99_ms: round(ms(bullmq, 0.99)),
          rss_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
        }),
      )
    }
  } finally {
    await server.stop()
  }
}

const round = (value: number): number => Number(value.toFixed(3))

const row = (title: string, contenders: readonly Contender[], rate: (one: Contender) => number): string => {
  const figures = contenders.map((one) => `${one.name} ${Math.round(rate(one)).toString().padStart(6)}`)
  return `${title.padEnd(8)} ${figures.join('   ')} sessions/s   (load ${loadavg()[0]?.toFixed(1)})`
}
