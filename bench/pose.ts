import { monitorEventLoopDelay } from 'node:perf_hooks'
import sharp from 'sharp'
import type { PoseEngine } from '../src/machines/ports/pose.ts'
import { drawPerson } from '../src/pictures/draw.ts'
import { allReady, engineOptions, estimated, nativeIsHere, openPool, pixelsOf } from '../test/support/pose.ts'
import { type Benchmark, load, median, quantile } from './support/figures.ts'
import { lookAtOnce, poseRssMb } from './support/pose.ts'

const WARM_UP = 8
const ONE_BY_ONE = 40
const AT_ONCE = 60

/**
 * People found in a photo of 12 megapixels: reading it, BlazePose full with its mask and MoveNet, one photo at a time; then how many
 * a second one and two engines do, and what they cost. Figures are of the engine that `POSE_BACKEND=auto` takes.
 */
export const pose: Benchmark = async () => {
  const photo = await sharp(await drawPerson(0))
    .resize(3_000, 4_500)
    .jpeg({ quality: 90 })
    .toBuffer()
  const wasm = await measure('wasm', photo)
  return nativeIsHere ? await measure('node', photo) : wasm
}

const measure = async (backend: 'wasm' | 'node', photo: Uint8Array) => {
  const one = await measurePool(backend, 1, photo)
  const two = await measurePool(backend, 2, photo)
  const [p50, p95] = [median(one.tookMs), quantile(one.tookMs, 0.95)]
  const parts = `BlazePose ${median(one.blazePoseMs).toFixed(0)}, MoveNet ${median(one.moveNetMs).toFixed(0)}`
  console.log(
    `${backend}: a photo of 13.5 megapixels p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (${parts}); ${load()}`,
  )
  console.log(`${backend}: photos a second ${one.perS.toFixed(1)} with one engine, ${two.perS.toFixed(1)} with two`)
  console.log(
    `${backend}: ready after ${two.readyMs.toFixed(0)} ms; two engines and this process ${two.rssMb.toFixed(0)} MB; `,
  )
  console.log(`${backend}: event loop p99 ${two.loopP99Ms.toFixed(1)} ms while two look`)
  return {
    photo_p50_ms: p50,
    photo_p95_ms: p95,
    per_s_one: one.perS,
    per_s_two: two.perS,
    ready_ms: two.readyMs,
    rss_mb: two.rssMb,
    loop_p99_ms: two.loopP99Ms,
  }
}

const measurePool = async (backend: 'wasm' | 'node', workers: number, photo: Uint8Array) => {
  const startedAt = performance.now()
  const pool = openPool({ engine: { ...engineOptions, backend }, workers })
  try {
    const readyMs = await firstReady(pool, startedAt)
    await allReady(pool)
    const picture = await pixelsOf(photo)
    await lookAtOnce(pool, [picture], workers, WARM_UP)
    const oneByOne = await lookOneByOne(pool, photo)
    const loop = monitorEventLoopDelay({ resolution: 1 })
    loop.enable()
    const beganAt = performance.now()
    await lookAtOnce(pool, [picture], workers, AT_ONCE)
    const perS = (AT_ONCE / (performance.now() - beganAt)) * 1_000
    return { ...oneByOne, perS, readyMs, loopP99Ms: loop.percentile(99) / 1e6, rssMb: poseRssMb() }
  } finally {
    await pool.close()
  }
}

const firstReady = async (pool: PoseEngine, startedAt: number): Promise<number> => {
  while (pool.status().enginesReady === 0) await new Promise((next) => setTimeout(next, 5))
  return performance.now() - startedAt
}

const lookOneByOne = async (pool: PoseEngine, photo: Uint8Array) => {
  const took = { tookMs: [] as number[], blazePoseMs: [] as number[], moveNetMs: [] as number[] }
  for (let index = 0; index < ONE_BY_ONE; index++) {
    const startedAt = performance.now()
    const { timing } = await estimated(pool, await pixelsOf(photo))
    took.tookMs.push(performance.now() - startedAt)
    took.blazePoseMs.push(timing.blazePoseMs)
    took.moveNetMs.push(timing.moveNetMs)
  }
  return took
}
