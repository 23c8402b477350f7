import type { BodyPose, RgbPicture } from '../../../machines/ports/pose.ts'
import type { Estimated, Part } from '../messages.ts'
import { LANDMARK_SIZE, type RawBody } from './blaze-pose.ts'
import { closeUpOf } from './close-up.ts'
import type { Networks } from './networks.ts'
import { peopleOf } from './people.ts'
import { cropped, placed, type Region } from './region.ts'

/** Looks at one picture with the networks that this part needs. Never two at once: the networks keep state while they work. */
export const estimate = async (networks: Networks, picture: RgbPicture, part: Part = 'all'): Promise<Estimated> => {
  const startedAt = performance.now()
  const body = part === 'people' ? null : await bodyOf(networks, picture)
  const betweenAt = performance.now()
  const people = part === 'body' ? [] : await peopleOf(networks.moveNet, picture)
  return { body, people, blazePoseMs: betweenAt - startedAt, moveNetMs: performance.now() - betweenAt }
}

const bodyOf = async ({ blazePose }: Networks, picture: RgbPicture): Promise<BodyPose | null> => {
  const region = await blazePose.detect(picture)
  const raw = region && (await blazePose.look(cropped(picture, region, LANDMARK_SIZE)))
  return raw && { ...inPicture(raw, region), closeUp: await closeUpOf(blazePose, picture, region) }
}

/** From shares of a region to px of the picture; in space a region's turn is taken back. */
const inPicture = ({ score, points, world }: RawBody, region: Region): Omit<BodyPose, 'closeUp'> => {
  const [cos, sin] = [Math.cos(region.rotation), Math.sin(region.rotation)]
  const visibilities = points.map(({ score: visibility = Number.NaN }) => visibility)
  return {
    score,
    landmarks: points.map(({ x, y, z = Number.NaN }, index) => ({
      ...placed(region, x, y),
      z: z * region.side,
      visibility: visibilities[index] ?? Number.NaN,
    })),
    world: world.map(({ x, y, z = Number.NaN }, index) => ({
      x: cos * x - sin * y,
      y: sin * x + cos * y,
      z,
      visibility: visibilities[index] ?? Number.NaN,
    })),
  }
}
