import { angleAt, degrees, distance, type Flat, less, middle } from './geometry.ts'
import { type LandmarkName, landmark, type SeenPoints, worldLandmark } from './sight.ts'

/** Stature over the way from the middle of the eyes to the middle of the heels: ANSUR II, standard deviation 0.54 %. */
export const STATURE_OVER_EYES_TO_HEELS = 1.07

/** How somebody stands; angles in degrees, from world landmarks, since a flat picture hides what bends towards it. */
export interface Posture {
  /** px from the middle of the eyes to the middle of the heels. */
  readonly eyesToHeelsPx: number
  /** 0 faces the camera, 90 shows a side, 180 the back. */
  readonly yaw: number
  /** Of the line from eyes to heels against the picture's edge. */
  readonly tilt: number
  /** The more bent of both; a straight leg has 180. */
  readonly knee: number
  readonly hip: number
}

export function postureOf(body: SeenPoints): Posture {
  const [eyes, heels] = [pair(body, 'Eye'), pair(body, 'Heel')]
  const angle = (corner: Part, one: Part, other: Part) =>
    Math.min(...SIDES.map((side) => bend(body, side, corner, one, other)))
  return {
    eyesToHeelsPx: distance(eyes, heels),
    yaw: yawOf(body),
    tilt: Math.abs(degrees(Math.atan2(heels.x - eyes.x, heels.y - eyes.y))),
    knee: angle('Knee', 'Hip', 'Ankle'),
    hip: angle('Hip', 'Shoulder', 'Knee'),
  }
}

/** The middle between a left and a right point, px. */
export const pair = (body: SeenPoints, part: Part): Flat =>
  middle(landmark(body, `left${part}`), landmark(body, `right${part}`))

const SIDES = ['left', 'right'] as const
type Part = LandmarkName extends infer N ? (N extends `left${infer P}` ? P : never) : never

function bend(body: SeenPoints, side: 'left' | 'right', corner: Part, one: Part, other: Part): number {
  const at = (part: Part) => worldLandmark(body, `${side}${part}`)
  return angleAt(at(corner), at(one), at(other))
}

/** Of shoulders and hips together: either line alone is noisy in depth. A person's left is right in a picture of the front. */
function yawOf(body: SeenPoints): number {
  const across = (part: Part) => less(worldLandmark(body, `left${part}`), worldLandmark(body, `right${part}`))
  const [shoulders, hips] = [across('Shoulder'), across('Hip')]
  return Math.abs(degrees(Math.atan2(shoulders.z + hips.z, shoulders.x + hips.x)))
}
