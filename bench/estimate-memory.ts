import { drawPerson } from '../src/pictures/draw.ts'
import { openEstimates } from './support/estimate.ts'
import type { Benchmark } from './support/figures.ts'
import { poseRssMb } from './support/pose.ts'

const PHOTOS = 2_000
/** By then everything is compiled. */
const SETTLED = 400
const STEP = 100
const AT_ONCE = 3

/** Whether memory stays flat over 2,000 photos that came over HTTP: of this process and its engines. */
export const estimateMemory: Benchmark = async () => {
  const world = await openEstimates(await drawPerson(0))
  let late = 0
  try {
    let settledMb = Number.NaN
    for (let asked = STEP; asked <= PHOTOS; asked += STEP) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => askSome(lane)))
      if (asked === SETTLED) settledMb = poseRssMb()
      console.log(`${asked} photos, ${late} told to come again: ${poseRssMb().toFixed(0)} MB`)
    }
    return { settled_mb: settledMb, growth_mb: poseRssMb() - settledMb }
  } finally {
    await world.close()
  }

  async function askSome(lane: number): Promise<void> {
    for (let index = lane; index < STEP; index += AT_ONCE) {
      const answer = await world.estimate()
      await answer.arrayBuffer()
      if (answer.status === 503) late++
      else if (answer.status !== 200) throw new Error(`answered with status ${answer.status}`)
    }
  }
}
