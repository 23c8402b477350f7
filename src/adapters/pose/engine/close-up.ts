import type { CloseUp, RgbPicture } from '../../../machines/ports/pose.ts'
import { type BlazePose, LANDMARK_SIZE, type MaskedBody } from './blaze-pose.ts'
import { mirrored, twinOf } from './mirror.ts'
import type { Region } from './region.ts'
import { averaged } from './shrink.ts'

const SIZE = LANDMARK_SIZE

/** A region's sides grow by this factor from one to the next, rather up than down; its middle lies on a grid of this share of its side. */
const STEPS = { side: 1.25, up: 0.2, middle: 1 / 8 }

/**
 * Looks at the body once more in a way that copies of a picture share: mirrored, smaller or compressed ones mostly lead to the same
 * pixels. In a photo as it is, the detector sees the person a little elsewhere in each, and the widths of the mask follow. Null where
 * nobody is seen this time.
 */
export const closeUpOf = async (
  blazePose: Pick<BlazePose, 'lookClosely'>,
  picture: RgbPicture,
  seen: Region,
): Promise<CloseUp | null> => {
  const region = steady(seen, picture)
  const crop = averaged(picture, region, SIZE)
  const isMirrored = isBrighterRight(crop)
  const raw = await blazePose.lookClosely(isMirrored ? mirrored(crop, SIZE, 3) : crop)
  if (raw === null) return null
  const { points, world, mask } = isMirrored ? turnedBack(raw) : raw
  return {
    side: SIZE,
    landmarks: points.map(({ x, y, score = Number.NaN }) => ({ x: x * SIZE, y: y * SIZE, visibility: score })),
    world: world.map(({ x, y, z = Number.NaN }) => ({ x, y, z })),
    mask: bytesOf(mask),
    left: region.x - region.side / 2,
    top: region.y - region.side / 2,
    scale: region.side / SIZE,
  }
}

/** One of few upright regions that are near to this one. */
const steady = ({ x, y, side }: Region, { width, height }: Pick<RgbPicture, 'width' | 'height'>): Region => {
  const longest = Math.max(width, height)
  const steps = Math.round(Math.log(side / longest) / Math.log(STEPS.side) + STEPS.up)
  const stepped = longest * STEPS.side ** steps
  const grid = stepped * STEPS.middle
  const near = (value: number, whole: number) => whole / 2 + Math.round((value - whole / 2) / grid) * grid
  return { x: near(x, width), y: near(y, height), side: stepped, rotation: 0 }
}

/** A picture and its mirror image are looked at from the same side: the one that is darker on the right. */
const isBrighterRight = (crop: Float32Array): boolean => {
  let balance = 0
  for (let at = 0; at < crop.length; at++) balance += (crop[at] ?? 0) * ((Math.floor(at / 3) % SIZE) - (SIZE - 1) / 2)
  return balance > 0
}

const turnedBack = ({ points, world, mask, score }: MaskedBody): MaskedBody => ({
  score,
  points: twinOf(points).map((point) => ({ ...point, x: 1 - point.x })),
  world: twinOf(world).map((point) => ({ ...point, x: -point.x })),
  mask: mirrored(mask, SIZE, 1),
})

/** Values of 0..1 as 0..255. */
const bytesOf = (values: Float32Array): Uint8Array => {
  const bytes = new Uint8Array(values.length)
  for (const [at, value] of values.entries()) {
    if (!Number.isFinite(value)) throw new Error('the mask holds what is no number')
    bytes[at] = Math.round(value * 255)
  }
  return bytes
}
