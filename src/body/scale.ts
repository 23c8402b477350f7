import { distance, type Flat } from './geometry.ts'
import { pair, STATURE_OVER_EYES_TO_HEELS } from './posture.ts'
import type { SeenPoints } from './sight.ts'

/** How high the eyes lie, as a share of stature. */
const EYES = 1 / STATURE_OVER_EYES_TO_HEELS

/**
 * Where the middles of BlazePose's shoulders, hips and knees lie between heels (0) and eyes (1) when a level camera looks: mean of the 26
 * rendered bodies, standard deviation 0.01. A phone at the eyes that is pitched down shows shorter legs.
 */
const JOINTS = { Shoulder: 0.848, Hip: 0.534, Knee: 0.273 } as const

/** So much slope comes of proportions alone: the standard deviation of what the rendered bodies give. */
const SLOPE_OF_PROPORTIONS = 0.1
/** No camera on a photo that shows the feet makes more. */
const SLOPE_MAX = 1.5

/** Pixels per cm along a body: larger at the end that is nearer to the camera. */
export interface Scale {
  /** px per cm at a height above the floor, as a share of stature. */
  readonly at: (share: number) => number
  /** By how much the scale grows from the floor to the top of the head: 0 for a level camera. */
  readonly slope: number
}

/** The scale of a standing body whose height is known. A level camera makes no error at any distance, so it is taken as it is. */
export function scaleOf(body: SeenPoints, statureCm: number): Scale {
  const meanPxPerCm = (distance(pair(body, 'Eye'), pair(body, 'Heel')) * STATURE_OVER_EYES_TO_HEELS) / statureCm
  const slope = Math.min(SLOPE_MAX, Math.max(0, slopeOf(body) - SLOPE_OF_PROPORTIONS))
  return { slope, at: (share) => (meanPxPerCm * (1 + slope * share)) / (1 + (slope * EYES) / 2) }
}

/**
 * With a scale of 1 + slope × share, a joint at share u lies at (u + slope × u² / 2) / (e + slope × e² / 2) of the way from heels to eyes
 * (e): that is linear in the slope, so three joints give it by least squares.
 */
function slopeOf(body: SeenPoints): number {
  const [eyes, heels] = [pair(body, 'Eye'), pair(body, 'Heel')]
  const equations = (['Shoulder', 'Hip', 'Knee'] as const).map((joint) => {
    const [share, seen] = [JOINTS[joint] * EYES, along(pair(body, joint), heels, eyes)]
    return { factor: (share ** 2 - seen * EYES ** 2) / 2, missing: seen * EYES - share }
  })
  const sum = (valueOf: (equation: (typeof equations)[number]) => number) =>
    equations.reduce((total, equation) => total + valueOf(equation), 0)
  return sum(({ factor, missing }) => factor * missing) / sum(({ factor }) => factor ** 2)
}

/** Where a point lies on the way from one to another: 0 at the first, 1 at the second. */
function along(point: Flat, from: Flat, to: Flat): number {
  const [x, y] = [to.x - from.x, to.y - from.y]
  return ((point.x - from.x) * x + (point.y - from.y) * y) / (x ** 2 + y ** 2)
}
