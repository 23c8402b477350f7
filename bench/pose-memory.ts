import sharp from 'sharp'
import { drawGarment, drawPerson } from '../src/pictures/draw.ts'
import { allReady, openPool, pixelsOf } from '../test/support/pose.ts'
import type { Benchmark } from './support/figures.ts'
import { growthOver } from './support/flat.ts'
import { lookAtOnce } from './support/pose.ts'

const WORKERS = 2

/** Whether the engines' memory stays flat over many pictures of several sizes, with a person in them and without. */
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
    return await growthOver((photos) => lookAtOnce(pool, pictures, WORKERS, photos))
  } finally {
    await pool.close()
  }
}
