import sharp from 'sharp'
import { drawGarment, drawPerson } from '../src/pictures/draw.ts'
import { allReady, openPool, pixelsOf } from '../test/support/pose.ts'
import type { Benchmark } from './support/figures.ts'
import { lookAtOnce, poseRssMb } from './support/pose.ts'

const WORKERS = 2
const PICTURES = 2_000
/** By then everything is compiled, and every size of picture was met. */
const SETTLED = 400
const STEP = 200

/** Whether the engines' memory stays flat over 2,000 pictures of several sizes, with a person in them and without. */
export const poseMemory: Benchmark = async () => {
  const pool = openPool({ workers: WORKERS })
  try {
    await allReady(pool)
    const drawn = [await drawPerson(0), await drawPerson(1), await drawGarment(0)]
    const sized = drawn.map((bytes, index) =>
      sharp(bytes)
        .resize({ height: 640 + 320 * index })
        .png()
        .toBuffer(),
    )
    const pictures = await Promise.all(sized.map(async (bytes) => pixelsOf(await bytes)))
    let settledMb = Number.NaN
    for (let looked = STEP; looked <= PICTURES; looked += STEP) {
      await lookAtOnce(pool, pictures, WORKERS, STEP)
      if (looked === SETTLED) settledMb = poseRssMb()
      console.log(`${looked} pictures: ${poseRssMb().toFixed(0)} MB`)
    }
    return { settled_mb: settledMb, growth_mb: poseRssMb() - settledMb }
  } finally {
    await pool.close()
  }
}
