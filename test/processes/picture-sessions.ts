import { readFileSync } from 'node:fs'
import { PARTITIONS } from '../../bench/contenders/redis-log.ts'
import { startEngine } from '../../bench/support/engine.ts'
import { benchEnvironment } from '../../bench/support/environment.ts'
import { quantile } from '../../bench/support/figures.ts'
import { newTasks, publishAll } from '../../bench/support/task.ts'
import { countTo, within } from '../../bench/support/within.ts'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { memoryGenerator } from '../../src/adapters/memory/generator.ts'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { generate } from '../../src/machines/effects/generate.ts'
import { pictureFetcher } from '../../src/pictures/fetch.ts'
import { preparePicture } from '../../src/pictures/prepare.ts'

const TICK_MS = 10

/** What many sessions at once came to: the most memory that the process took, and how late its event loop was. */
export interface Crowd {
  readonly images: number
  readonly peakMb: number
  readonly loopP99Ms: number
  /** The same without the time in which the machine had no processor for us. */
  readonly ownLoopP99Ms: number
  readonly tookMs: number
}

/** As many sessions at once as are asked for, on the memory log; each holds its prepared pictures until all hold theirs. */
const crowd = async (sessions: number, imageUrls: readonly string[]): Promise<Crowd> => {
  const { clock, newId } = benchEnvironment
  const log = memoryLog({ partitions: PARTITIONS, clock, newId })
  const together = countTo(sessions)
  const generator = memoryGenerator({
    script: async () => {
      together.add()
      await together.reached
      return 'image' as const
    },
  })
  const notAsked = () => Promise.reject(new Error('nothing is given back here'))
  const pictures = pictureFetcher({ hosts: imageUrls.map((url) => new URL(url).host), use: preparePicture })
  const platform = { look: async () => ({ wanted: true }) as const, refund: notAsked, settle: notAsked }
  const objects = memoryObjects(() => clock.now())
  const effect = generate({ clock, platform, pictures, generator, objects })
  const engine = startEngine({ log, concurrency: sessions, generate: (session, signal) => effect(session, signal) })
  await engine.holds(log.partitions)
  const ends = countTo(sessions)
  engine.onCommit(({ tombstones }) => ends.add(tombstones.length))
  const loop = watchLoop()
  const startedAt = performance.now()
  await publishAll(
    log,
    newTasks(sessions).map((task) => ({ ...task, bytes: withPictures(task.bytes, imageUrls) })),
  )
  await within(ends.reached, 'end of all sessions')
  const late = loop.stop()
  const tookMs = performance.now() - startedAt
  await engine.stop()
  await pictures.close()
  const peakMb = process.resourceUsage().maxRSS / 1024
  return { images: objects.stored.size, peakMb, tookMs, ...late }
}

/** Asks every few milliseconds how late the event loop is. */
const watchLoop = () => {
  const lateMs: number[] = []
  const ownLateMs: number[] = []
  let at = performance.now()
  let waited = waitedMs()
  const timer = setInterval(() => {
    const late = Math.max(0, performance.now() - at - TICK_MS)
    const waiting = waitedMs() - waited
    lateMs.push(late)
    ownLateMs.push(Math.max(0, late - waiting))
    at = performance.now()
    waited += waiting
  }, TICK_MS)
  return {
    stop: () => {
      clearInterval(timer)
      return { loopP99Ms: quantile(lateMs, 0.99), ownLoopP99Ms: quantile(ownLateMs, 0.99) }
    },
  }
}

/** How long the thread of the event loop could run and had no processor (Linux, scheduler/sched-stats). */
const waitedMs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6

const withPictures = (task: Uint8Array, imageUrls: readonly string[]): Uint8Array =>
  Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(task).toString()), image_urls: imageUrls }))

const [sessions, ...imageUrls] = process.argv.slice(2)
process.send?.(await crowd(Number(sessions), imageUrls))
process.disconnect?.()
