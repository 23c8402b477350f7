import { drawPerson } from '../src/pictures/draw.ts'
import { openEstimates, phonePerson } from './support/estimate.ts'
import type { Benchmark } from './support/figures.ts'
import { growthOver } from './support/flat.ts'

const AT_ONCE = 3
/** One of so many photos is a phone's of 12 megapixels; the others are drawn, and small. */
const PHONE_EVERY = 4

/** Whether memory stays flat over many photos that came over HTTP: of this process and its engines. */
export const estimateMemory: Benchmark = async () => {
  const world = await openEstimates(await drawPerson(0), { 'phone.jpg': await phonePerson() })
  let late = 0
  try {
    return await growthOver(async (photos) => {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => askSome(photos, lane)))
      if (late > 0) console.log(`${late} told to come again`)
    })
  } finally {
    await world.close()
  }

  async function askSome(photos: number, lane: number): Promise<void> {
    for (let index = lane; index < photos; index += AT_ONCE) {
      const answer = await world.estimate(index % PHONE_EVERY === 0 ? { image_url: world.urlOf('phone.jpg') } : {})
      await answer.arrayBuffer()
      if (answer.status === 503) late++
      else if (answer.status !== 200) throw new Error(`answered with status ${answer.status}`)
    }
  }
}
