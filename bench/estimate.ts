import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BodyWorld } from '../test/support/pose-world.ts'
import { openEstimates, phonePerson } from './support/estimate.ts'
import { type Benchmark, load, median, quantile } from './support/figures.ts'
import { poseCpuMs, poseRssMb } from './support/pose.ts'

const WARM_UP = 10
const ONE_BY_ONE = 40
const AT_ONCE = 4
const TOGETHER = 80
/** More than two engines look at: some must be told to come again. */
const CROWD_PER_S = 20
const CROWD_S = 10

/** `POST /estimate-body` over HTTP, a photo of 12 megapixels fetched from a server of the same process each time. */
export const estimate: Benchmark = async () => {
  const photo = await phonePerson()
  const world = await openEstimates(photo)
  try {
    await inTurn(world, WARM_UP)
    const alone = await inTurn(world, ONE_BY_ONE)
    const [p50, p95] = [median(alone), quantile(alone, 0.95)]
    const size = `${(photo.byteLength / 1e6).toFixed(1)} MB`
    console.log(
      `one at a time, 12 megapixels, ${size}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms   (${load()})`,
    )
    const { perS, loopP99Ms, cpuMs } = await together(world)
    const rssMb = poseRssMb()
    console.log(
      `${AT_ONCE} at a time: ${perS.toFixed(1)} photos/s, event loop p99 ${loopP99Ms.toFixed(1)} ms   (${load()})`,
    )
    console.log(`a photo keeps a core for ${cpuMs.toFixed(0)} ms, its server and its client included`)
    console.log(`this process and its engines: ${rssMb.toFixed(0)} MB`)
    const crowd = await crowded(world)
    return { p50_ms: p50, p95_ms: p95, per_s: perS, loop_p99_ms: loopP99Ms, cpu_ms: cpuMs, rss_mb: rssMb, ...crowd }
  } finally {
    await world.close()
  }
}

const ask = async (world: BodyWorld): Promise<{ status: number; ms: number }> => {
  const startedAt = performance.now()
  const answer = await world.estimate()
  await answer.arrayBuffer()
  return { status: answer.status, ms: performance.now() - startedAt }
}

const inTurn = async (world: BodyWorld, count: number): Promise<number[]> => {
  const tookMs: number[] = []
  for (let index = 0; index < count; index++) tookMs.push(answered(await ask(world)))
  return tookMs
}

const together = async (world: BodyWorld) => {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const [startedAt, cpuBefore] = [performance.now(), poseCpuMs()]
  await Promise.all(Array.from({ length: AT_ONCE }, () => inTurn(world, TOGETHER / AT_ONCE)))
  const perS = (TOGETHER / (performance.now() - startedAt)) * 1_000
  return { perS, loopP99Ms: loop.percentile(99) / 1e6, cpuMs: (poseCpuMs() - cpuBefore) / TOGETHER }
}

const crowded = async (world: BodyWorld) => {
  const asked: ReturnType<typeof ask>[] = []
  for (let index = 0; index < CROWD_PER_S * CROWD_S; index++) {
    asked.push(ask(world))
    await sleep(1_000 / CROWD_PER_S)
  }
  const answers = await Promise.all(asked)
  const slowestMs = Math.max(...answers.map(({ ms }) => ms))
  const sized = answers.filter(({ status }) => status === 200)
  const strange = answers.filter(({ status }) => status !== 200 && status !== 503)
  const counts = `${sized.length} of ${answers.length} answered, ${answers.length - sized.length - strange.length} told to come again`
  const p95 = quantile(
    sized.map(({ ms }) => ms),
    0.95,
  )
  console.log(
    `${CROWD_PER_S} a second: ${counts}; p95 ${p95.toFixed(0)} ms, the slowest ${slowestMs.toFixed(0)} ms   (${load()})`,
  )
  return { crowd_slowest_ms: slowestMs, crowd_strange: strange.length, crowd_per_s: sized.length / CROWD_S }
}

const answered = ({ status, ms }: { status: number; ms: number }): number => {
  if (status !== 200) throw new Error(`answered with status ${status}`)
  return ms
}
