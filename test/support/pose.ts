import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { EngineOptions } from '../../src/adapters/pose/messages.ts'
import { openPosePool, type PosePoolOptions } from '../../src/adapters/pose/pool.ts'
import { readConfig } from '../../src/config.ts'
import type { NoEstimate, PoseEngine, PoseEstimate, RgbPicture } from '../../src/machines/ports/pose.ts'
import { openPhoto } from '../../src/pictures/photo.ts'
import { realClock } from './clock.ts'
import { quietEnvironment } from './environment.ts'
import { eventually } from './eventually.ts'

const { pose } = readConfig({ POSE_MODELS: process.env['POSE_MODELS'] })
export const engineOptions: EngineOptions = {
  backend: 'wasm',
  modelsDir: pose?.modelsDir ?? '',
  nativeDir: pose?.nativeDir ?? '',
}

/** Whether the networks were fetched (`make test` does it); in CI their tests run anyway, and fail without them. */
export const networksAreHere =
  process.env['CI'] === 'true' || existsSync(join(engineOptions.modelsDir, 'blazepose-full.bin'))
/** Whether `scripts/pose-native.sh` has installed the native engine. */
export const nativeIsHere = existsSync(join(engineOptions.nativeDir, 'node_modules/@tensorflow/tfjs-node/lib'))

export const openPool = (options: Partial<PosePoolOptions> = {}): PoseEngine =>
  openPosePool({
    engine: engineOptions,
    workers: 1,
    waitingMax: 8,
    deadlineMs: 20_000,
    env: quietEnvironment(realClock),
    ...options,
  })

/** On a machine that does much else at the same time. */
const START_MAX_MS = 60_000

/** Until all of its engines have passed their self-test. */
export const allReady = (pool: PoseEngine): Promise<void> =>
  eventually(
    () => expect(pool.status()).toMatchObject({ state: 'ready', enginesReady: pool.status().engines }),
    START_MAX_MS,
  )

/** The pixels of a picture's bytes, as photos for the body estimate are read. */
export const pixelsOf = async (bytes: Uint8Array): Promise<RgbPicture> => {
  const photo = await openPhoto(bytes)
  if ('code' in photo) throw new Error(photo.detail)
  return photo
}

export const forever = new AbortController().signal

/** What the pool found; fails when it answers that there is no estimate. */
export const estimated = async (pool: PoseEngine, picture: RgbPicture): Promise<PoseEstimate> => {
  const answer = await pool.estimate(picture, forever)
  if ('code' in answer) throw new Error(`no estimate: ${answer.code}`)
  return answer
}

export const codeOf = (answer: PoseEstimate | NoEstimate): string => ('code' in answer ? answer.code : 'estimated')

/** The process ids of the engines that this process runs. */
export const engineProcesses = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('adapters/pose/engine/main.ts'))
    .map((line) => Number.parseInt(line, 10))
