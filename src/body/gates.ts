import { coefficients } from './coefficients.ts'
import { LENGTHS, type Length } from './features.ts'
import { type Posture, pair, postureOf, STATURE_OVER_EYES_TO_HEELS } from './posture.ts'
import type { Reason } from './reasons.ts'
import { ankleScore, faceScore, secondOpinion } from './second-opinion.ts'
import { type LandmarkName, landmark, type SeenBody, type SeenPerson, type Sight } from './sight.ts'

/** From where a body is looked at. */
export type View = 'front' | 'side'

/** Degrees. A straight leg of BlazePose has 150 to 165. */
const KNEE_MIN = 137
const HIP_MIN = 130
const TILT_MAX = 20
const YAW_MAX = 35
const SIDE_YAW = { min: 55, max: 125 }

/** Of the way from eyes to heels there is this much head above the eyes, as a share of stature. */
const HEAD_ABOVE_EYES = 0.07
const FACE_SCORE_MIN = 0.3
const ANKLE_VISIBILITY_MIN = 0.5
const ANKLE_SCORE_MIN = 0.2
/** px: below it, a pixel is more than a cm. */
const EYES_TO_HEELS_MIN_PX = 160
/** Share of the picture's height by which a toe may be supposed below its edge: shoes end there, not feet. */
const TOES_BEYOND = 0.01
/** ANSUR II's bodies lie within 4 standard deviations of their mean. */
const DEVIATIONS_MAX = 5

/** Why no body can be measured in this picture, the main reason first; empty when one can. */
export function reasonsAgainst(sight: Sight, view: View): Reason[] {
  const { body } = sight
  const { person, hasOthers } = secondOpinion(sight)
  if (body === null) return hasOthers ? ['several_people'] : ['no_person']
  const posture = postureOf(body)
  const found: [Reason, boolean][] = [
    ['no_person', person === null],
    ['several_people', hasOthers],
    ['feet_out_of_frame', feetAreOut(sight, body)],
    ['head_out_of_frame', headIsOut(body, posture, person, view)],
    ['not_standing', !stands(posture)],
    ['feet_out_of_frame', stands(posture) && person !== null && ankleScore(person) < ANKLE_SCORE_MIN],
    ['turned', view === 'front' && posture.yaw > YAW_MAX],
    ['not_from_the_side', view === 'side' && (posture.yaw < SIDE_YAW.min || posture.yaw > SIDE_YAW.max)],
    ['tilted', posture.tilt > TILT_MAX],
    ['too_small', posture.eyesToHeelsPx < EYES_TO_HEELS_MIN_PX],
  ]
  return [...new Set(found.filter(([, applies]) => applies).map(([reason]) => reason))]
}

/** Lengths that are seen whole by every camera in front: arms bend towards it, and legs look short from above. */
const UNFORESHORTENED: ReadonlySet<Length> = new Set(['shoulder', 'hips'])

/** Whether lengths in cm, as a caliper would have read them, are nobody's. */
export function isImplausible(lengths: Readonly<Record<Length, number>>, statureCm: number): boolean {
  return LENGTHS.some((name) => {
    const { mean, sd } = coefficients.proportions[name]
    const deviations = (lengths[name] / statureCm - mean) / sd
    return deviations > DEVIATIONS_MAX || (UNFORESHORTENED.has(name) && deviations < -DEVIATIONS_MAX)
  })
}

const stands = ({ knee, hip }: Posture): boolean => knee >= KNEE_MIN && hip >= HIP_MIN

function headIsOut(body: SeenBody, posture: Posture, person: SeenPerson | null, view: View): boolean {
  const above = HEAD_ABOVE_EYES * posture.eyesToHeelsPx * STATURE_OVER_EYES_TO_HEELS
  const faceIsMissing = view === 'front' && person !== null && faceScore(person) < FACE_SCORE_MIN
  return pair(body, 'Eye').y < above || faceIsMissing
}

/** MoveNet loses folded ankles, so that its word counts on those who stand alone. */
function feetAreOut({ height, width }: Sight, body: SeenBody): boolean {
  const isOutside = (name: LandmarkName, beyond: number) => {
    const { x, y } = landmark(body, name)
    return x < -beyond || x > width + beyond || y > height + beyond
  }
  const heels = ['leftHeel', 'rightHeel', 'leftAnkle', 'rightAnkle'] as const
  return (
    heels.some((name) => isOutside(name, 0)) ||
    (['leftToe', 'rightToe'] as const).some((name) => isOutside(name, TOES_BEYOND * height)) ||
    Math.min(landmark(body, 'leftAnkle').visibility, landmark(body, 'rightAnkle').visibility) < ANKLE_VISIBILITY_MIN
  )
}
