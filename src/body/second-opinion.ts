import { distance, type Flat, middle } from './geometry.ts'
import { pair } from './posture.ts'
import { pointAt, type SeenBody, type SeenPerson, type Sight } from './sight.ts'

/** COCO's numbers, as MoveNet gives them: face 0-4, shoulders 5 and 6, hips 11 and 12, ankles 15 and 16. */
const FACE = [0, 1, 2, 3, 4]
const SHOULDERS = [5, 6] as const
const HIPS = [11, 12] as const
const ANKLES = [15, 16]

/** MoveNet's score from which on there is a person at all. */
const PERSON_SCORE_MIN = 0.25
/** The models mean the same body while their trunks lie this near, in lengths of the trunk. */
const SAME_TRUNK_MAX = 0.35
/** Somebody else of this size, compared with the person, would be measured as well: a passer-by far behind is not. */
const OTHER_SIZE_MIN = 0.45

/** MoveNet's word on the body that BlazePose found. */
export interface SecondOpinion {
  /** Null when MoveNet sees nobody there. */
  readonly person: SeenPerson | null
  readonly hasOthers: boolean
}

export function secondOpinion({ body, people }: Sight): SecondOpinion {
  const seen = people.filter(({ score }) => score >= PERSON_SCORE_MIN)
  const same = body ? seen.filter((one) => isSame(body, one)) : []
  const person = same[0] ?? null
  const size = Math.max(0, ...(person ? [sizeOf(person)] : seen.slice(0, 1).map(sizeOf)))
  const others = body && person ? seen.filter((one) => !same.includes(one)) : seen.slice(1)
  return { person, hasOthers: others.some((other) => sizeOf(other) >= OTHER_SIZE_MIN * size) }
}

/** 0..1: how surely MoveNet sees the best part of a face. */
export const faceScore = ({ keypoints }: SeenPerson): number =>
  Math.max(...FACE.map((point) => pointAt(keypoints, point).score))

/** 0..1: how surely it sees the less visible ankle. */
export const ankleScore = ({ keypoints }: SeenPerson): number =>
  Math.min(...ANKLES.map((point) => pointAt(keypoints, point).score))

/** Where the picture ends at the thighs both make the hips up, so that it is enough when the shoulders agree. */
function isSame(body: SeenBody, { keypoints }: SeenPerson): boolean {
  const [shoulders, hips] = [pair(body, 'Shoulder'), pair(body, 'Hip')]
  const theirs = (pointsOf: readonly [number, number]) =>
    middle(pointAt(keypoints, pointsOf[0]), pointAt(keypoints, pointsOf[1]))
  const apart = (ours: Flat, other: Flat) => distance(ours, other) / distance(shoulders, hips)
  const trunk = apart(middle(shoulders, hips), middle(theirs(SHOULDERS), theirs(HIPS)))
  return Math.min(trunk, apart(shoulders, theirs(SHOULDERS))) <= SAME_TRUNK_MAX
}

/** px: the diagonal, which counts for those who are cut off as well. */
const sizeOf = ({ box }: SeenPerson): number => Math.hypot(box.xMax - box.xMin, box.yMax - box.yMin)
