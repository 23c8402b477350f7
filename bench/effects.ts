import { startRedis } from '../test/support/redis-server.ts'
import { openEmptied } from './contenders/redis-log.ts'
import { CONCURRENCY, startEngine } from './support/engine.ts'
import { type Benchmark, load, median } from './support/figures.ts'
import { newTasks, publishAll } from './support/task.ts'
import { countTo, within } from './support/within.ts'

const EFFECT_MS = 200
const IDEAL_PER_S = (CONCURRENCY / EFFECT_MS) * 1000
/** Everybody is under way by then. */
const WARM_UP = 10 * CONCURRENCY
/** Multiples of the concurrency: effects that began together end together, and half a wave would tip the scales. */
const WINDOW = 15 * CONCURRENCY
const WINDOWS = 5
/** Work that is left behind the last window, so that no slot ever lacks it. */
const REST = 10 * CONCURRENCY

/** Effects of 200 ms, 200 at a time, with more queued than they can take: the share of the ideal 1,000 a second. */
export const effects: Benchmark = async () => {
  const server = await startRedis()
  const { log, close } = await openEmptied(server)
  const engine = startEngine({ log, effectMs: EFFECT_MS })
  try {
    await engine.holds(log.partitions)
    const wanted = WARM_UP + WINDOWS * WINDOW
    const endedAt: number[] = []
    const ends = countTo(wanted + 1)
    engine.onCommit(({ tombstones }) => {
      for (const _ of tombstones) endedAt.push(performance.now())
      ends.add(tombstones.length)
    })
    await publishAll(log, newTasks(wanted + REST))
    await within(ends.reached, 'end of all effects')
    const shares = Array.from({ length: WINDOWS }, (_, window) => shareOfWindow(endedAt, window))
    console.log(`windows of ${WINDOW} effects: ${shares.map(percent).join(', ')} of ${IDEAL_PER_S}/s   (${load()})`)
    return { share: median(shares), worst_share: Math.min(...shares), effects_per_s: median(shares) * IDEAL_PER_S }
  } finally {
    await engine.stop()
    await close()
    await server.stop()
  }
}

const shareOfWindow = (endedAt: readonly number[], window: number): number => {
  const first = WARM_UP + window * WINDOW
  const tookMs = (endedAt[first + WINDOW] ?? Number.NaN) - (endedAt[first] ?? Number.NaN)
  return ((WINDOW / tookMs) * 1000) / IDEAL_PER_S
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
