import * as tf from '@tensorflow/tfjs-core'
import type { PoseDetector } from '@tensorflow-models/pose-detection/dist/pose_detector.js'
import type { Pose } from '@tensorflow-models/pose-detection/dist/types.js'
import type { PersonSeen, RgbPicture } from '../../../machines/ports/pose.ts'
import { blend } from './region.ts'

/** px: what MoveNet multipose looks at has this longest side, and both are multiples of the other number. */
const LONGEST = 256
const MULTIPLE = 32

/** A picture as MoveNet looks at it: `columns` × `rows` px of it are the picture, the rest to the right or below is black. */
interface Small {
  readonly pixels: Int32Array
  readonly width: number
  readonly height: number
  readonly columns: number
  readonly rows: number
}

/**
 * Everybody whom MoveNet multipose finds, the surest first. Its own detector would make the picture small in the same way, but copies all
 * of it twice as numbers of four bytes. Without tracking it keeps nothing, and its `reset` throws.
 */
export const peopleOf = async (moveNet: PoseDetector, picture: RgbPicture): Promise<PersonSeen[]> => {
  const small = shrunk(picture)
  const input = tf.tensor3d(small.pixels, [small.height, small.width, 3], 'int32')
  try {
    const poses = await moveNet.estimatePoses(input)
    const scale = { x: picture.width / small.columns, y: picture.height / small.rows }
    return poses.map((pose) => person(pose, small, scale)).toSorted((a, b) => b.score - a.score)
  } finally {
    input.dispose()
  }
}

/** As TensorFlow's `resizeBilinear` does it: the colour at one point, between four pixels, of which there are none beyond the edge. */
const shrunk = (picture: RgbPicture): Small => {
  const longest = Math.max(picture.width, picture.height)
  const inSmall = (side: number) => Math.max(1, Math.round((LONGEST * side) / longest))
  const [columns, rows] = [inSmall(picture.width), inSmall(picture.height)]
  const [width, height] = [filled(columns), filled(rows)]
  const seen = new Float32Array(width * height * 3)
  for (let row = 0; row < rows; row++) {
    const y = Math.min(picture.height - 1, (row * picture.height) / rows)
    for (let column = 0; column < columns; column++) {
      const x = Math.min(picture.width - 1, (column * picture.width) / columns)
      blend(picture, x, y, seen, (row * width + column) * 3)
    }
  }
  return { pixels: new Int32Array(seen), width, height, columns, rows }
}

const filled = (side: number): number => Math.ceil(side / MULTIPLE) * MULTIPLE

/** MoveNet gives points in its own px, but its box as shares; `scale` is px of the picture for each of its own. */
const person = (
  { keypoints, score = Number.NaN, box }: Pose,
  { width, height }: Small,
  scale: { readonly x: number; readonly y: number },
): PersonSeen => ({
  keypoints: keypoints.map(({ x, y, score: sure = Number.NaN }) => ({ x: x * scale.x, y: y * scale.y, score: sure })),
  score,
  box: {
    xMin: (box?.xMin ?? Number.NaN) * width * scale.x,
    yMin: (box?.yMin ?? Number.NaN) * height * scale.y,
    xMax: (box?.xMax ?? Number.NaN) * width * scale.x,
    yMax: (box?.yMax ?? Number.NaN) * height * scale.y,
  },
})
