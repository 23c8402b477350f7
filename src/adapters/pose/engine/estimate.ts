import * as tf from '@tensorflow/tfjs-core'
import type { Keypoint, Pose } from '@tensorflow-models/pose-detection/dist/types.js'
import type { BodyPose, Landmark, PersonSeen, RgbPicture } from '../../../machines/ports/pose.ts'
import type { Estimated } from '../messages.ts'
import type { Networks } from './networks.ts'

const MASK_CHANNELS = 4

/** Looks at one picture with both networks. Never two at once: the networks keep state while they work. */
export const estimate = async (networks: Networks, { rgb, width, height }: RgbPicture): Promise<Estimated> => {
  const picture = tf.tensor3d(rgb, [height, width, 3], 'int32')
  try {
    const startedAt = performance.now()
    const body = await bodyOf(networks, picture)
    const betweenAt = performance.now()
    const people = await peopleOf(networks, picture)
    return { body, people, blazePoseMs: betweenAt - startedAt, moveNetMs: performance.now() - betweenAt }
  } finally {
    picture.dispose()
  }
}

const bodyOf = async ({ blazePose }: Networks, picture: tf.Tensor3D): Promise<BodyPose | null> => {
  // Else the region where the last picture's person stood is looked at first.
  blazePose.reset()
  const [pose] = await blazePose.estimatePoses(picture)
  const mask = await pose?.segmentation?.mask.toTensor()
  try {
    if (pose === undefined || mask === undefined) return null
    return {
      landmarks: pose.keypoints.map(landmark),
      world: (pose.keypoints3D ?? []).map(landmark),
      score: pose.score ?? Number.NaN,
      mask: bytesOf(mask),
    }
  } finally {
    mask?.dispose()
  }
}

const landmark = ({ x, y, z = Number.NaN, score: visibility = Number.NaN }: Keypoint): Landmark => ({
  x,
  y,
  z,
  visibility,
})

/** A mask comes as four equal channels of 0..1, of which one becomes 0..255. Counted by hand: a hundred thousand pixels and more. */
const bytesOf = (mask: tf.Tensor3D): Uint8Array => {
  const values = mask.dataSync<'float32'>()
  const bytes = new Uint8Array(values.length / MASK_CHANNELS)
  for (let pixel = 0; pixel < bytes.length; pixel++) {
    const value = values[pixel * MASK_CHANNELS] ?? Number.NaN
    if (!Number.isFinite(value)) throw new Error('the mask holds what is no number')
    bytes[pixel] = Math.round(value * 255)
  }
  return bytes
}

/** Without tracking, MoveNet's detector for several people keeps nothing, and its `reset` throws. */
const peopleOf = async ({ moveNet }: Networks, picture: tf.Tensor3D): Promise<PersonSeen[]> => {
  const [height, width] = picture.shape
  const poses = await moveNet.estimatePoses(picture)
  return poses.map((pose) => person(pose, width, height)).toSorted((a, b) => b.score - a.score)
}

/** MoveNet gives points in px, but its box as shares of the picture. */
const person = ({ keypoints, score = Number.NaN, box }: Pose, width: number, height: number): PersonSeen => ({
  keypoints: keypoints.map(({ x, y, score: sure = Number.NaN }) => ({ x, y, score: sure })),
  score,
  box: {
    xMin: (box?.xMin ?? Number.NaN) * width,
    yMin: (box?.yMin ?? Number.NaN) * height,
    xMax: (box?.xMax ?? Number.NaN) * width,
    yMax: (box?.yMax ?? Number.NaN) * height,
  },
})
