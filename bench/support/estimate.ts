import sharp from 'sharp'
import { drawPerson } from '../../src/pictures/draw.ts'
import { allReady, openPool } from '../../test/support/pose.ts'
import { type BodyWorld, openBodyWorld } from '../../test/support/pose-world.ts'

/** As in production on two cores: see src/app/pose.ts. */
const WORKERS = 2
const WAITING_MAX = 12
const DEADLINE_MS = 4_500

/** The HTTP side with real engines and a server of this photo beside it, and of others by their paths; ready. */
export const openEstimates = async (
  photo: Uint8Array,
  others: Readonly<Record<string, Uint8Array>> = {},
): Promise<BodyWorld> => {
  const engine = openPool({ workers: WORKERS, waitingMax: WAITING_MAX, deadlineMs: DEADLINE_MS })
  await allReady(engine)
  const world = await openBodyWorld({ engine, files: { ...others, 'person.jpg': photo } })
  return {
    ...world,
    close: async () => {
      await world.close()
      await engine.close()
    },
  }
}

/** A drawn person as large as a phone's photo, with its grain: a JPEG of 12 megapixels. */
export const phonePerson = async (): Promise<Uint8Array> => {
  const [width, height] = [2_830, 4_245]
  const noise = { type: 'gaussian', mean: 128, sigma: 14 } as const
  const grain = sharp({ create: { width, height, channels: 3, background: '#808080', noise } })
  return sharp(await drawPerson(0))
    .resize(width, height)
    .composite([{ input: await grain.png({ compressionLevel: 0 }).toBuffer(), blend: 'soft-light' }])
    .jpeg({ quality: 85 })
    .toBuffer()
}
