import { distance } from './geometry.ts'
import { pair, STATURE_OVER_EYES_TO_HEELS } from './posture.ts'
import { landmark, type SeenBody } from './sight.ts'

/** Parts of stature that lie between the heels and the eyes: 1 / 1.07. */
const EYES = 1 / STATURE_OVER_EYES_TO_HEELS

/**
 * Hip to ankle over shoulder to hip, between BlazePose's points: 1.65 on rendered bodies seen by a level camera, and hardly ever below
 * this. Phones held at the eyes and pitched down show shorter legs.
 */
const LEGS_OVER_TRUNK_MIN = 1.5

/** Pixels per cm along a body: larger at the end that is nearer to the camera. */
export interface Scale {
  /** px per cm at a height above the floor, as a share of stature. */
  readonly at: (share: number) => number
  /** By how much the scale grows from the floor to the top of the head: 0 for a level camera. */
  readonly slope: number
}

/** The scale of a standing body whose height is known. A level camera makes no error at any distance, so it is taken as it is. */
export function scaleOf(body: SeenBody, statureCm: number): Scale {
  const meanPxPerCm = (distance(pair(body, 'Eye'), pair(body, 'Heel')) * STATURE_OVER_EYES_TO_HEELS) / statureCm
  const slope = slopeOf(legsOverTrunk(body))
  return { slope, at: (share) => (meanPxPerCm * (1 + slope * share)) / (1 + (slope * EYES) / 2) }
}

/**
 * The slope that shortens the legs to this ratio. With a scale of 1 + slope × share, the trunk (0.52 to 0.82 of stature) is 1 + 0.67 × slope
 * as long as seen by a level camera, the legs (0.04 to 0.52) 1 + 0.28 × slope; both are solved for the slope.
 */
function slopeOf(ratio: number): number {
  const shortened = Math.max(SHORTENED_MIN, ratio / LEGS_OVER_TRUNK_MIN)
  return shortened >= 1 ? 0 : (1 - shortened) / (0.67 * shortened - 0.28)
}

/** Legs that look even shorter are none that stand: the formula has no answer below 0.42. */
const SHORTENED_MIN = 0.7

function legsOverTrunk(body: SeenBody): number {
  const leg = (side: 'left' | 'right') =>
    distance(landmark(body, `${side}Hip`), landmark(body, `${side}Knee`)) +
    distance(landmark(body, `${side}Knee`), landmark(body, `${side}Ankle`))
  return (leg('left') + leg('right')) / 2 / distance(pair(body, 'Shoulder'), pair(body, 'Hip'))
}
