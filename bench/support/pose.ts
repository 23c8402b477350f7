import { readFileSync } from 'node:fs'
import type { PoseEngine, RgbPicture } from '../../src/machines/ports/pose.ts'
import { engineProcesses, estimated } from '../../test/support/pose.ts'

/** Has so many pictures looked at, one of these after the other, while every engine always has the next one waiting. */
export const lookAtOnce = async (
  pool: PoseEngine,
  pictures: readonly RgbPicture[],
  workers: number,
  count: number,
): Promise<void> => {
  let next = 0
  const look = async () => {
    while (next < count) {
      const picture = pictures[next++ % pictures.length]
      if (picture !== undefined) await estimated(pool, picture)
    }
  }
  await Promise.all(Array.from({ length: workers + 1 }, look))
}

/** What this process and each of its engines hold in memory now, MB. */
export const poseRssOfEachMb = (): number[] =>
  [process.pid, ...engineProcesses()].map(
    (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
  )

/** All of that together, MB. */
export const poseRssMb = (): number => poseRssOfEachMb().reduce((sum, mb) => sum + mb, 0)

/** Linux counts a process's time in steps of 10 ms. */
const TICK_MS = 10

/** Time that this process and its engines have computed for so far, ms: other work on the machine does not count. */
export const poseCpuMs = (): number =>
  [process.pid, ...engineProcesses()]
    .map((pid) =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' '),
    )
    .reduce((sum, stat) => sum + (Number(stat[11]) + Number(stat[12])) * TICK_MS, 0)
