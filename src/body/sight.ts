/** A point of BlazePose in the picture, px; `visibility` is 0..1. */
export interface Landmark {
  readonly x: number
  readonly y: number
  readonly visibility: number
}

/** The same point on an average body: metres, x to the right, y down, z away from the camera. */
export interface WorldLandmark {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** BlazePose's 33 points, twice. */
export interface SeenPoints {
  readonly landmarks: readonly Landmark[]
  readonly world: readonly WorldLandmark[]
}

/** What BlazePose found in a photo; null when its second look found nobody. */
export interface SeenBody extends SeenPoints {
  readonly closeUp: SeenCloseUp | null
}

/** The body in a square picture of its own, where it is measured: px of that picture, and a byte for each of how surely it is this person. */
export interface SeenCloseUp extends SeenPoints {
  readonly side: number
  readonly mask: Uint8Array
  /** Its upper left corner in the photo, px, and px of the photo for each of its own. */
  readonly left: number
  readonly top: number
  readonly scale: number
}

/** One person of MoveNet: 17 points in COCO's order, px; scores are 0..1. */
export interface SeenPerson {
  readonly keypoints: readonly { readonly x: number; readonly y: number; readonly score: number }[]
  readonly score: number
  readonly box: { readonly xMin: number; readonly yMin: number; readonly xMax: number; readonly yMax: number }
}

/** What both models see in one picture of `width` × `height` px. */
export interface Sight {
  readonly width: number
  readonly height: number
  readonly body: SeenBody | null
  readonly people: readonly SeenPerson[]
}

/** BlazePose's numbers of the points used here; `left` is the person's own left. */
export const LANDMARK = {
  leftEye: 2,
  rightEye: 5,
  leftShoulder: 11,
  rightShoulder: 12,
  leftElbow: 13,
  rightElbow: 14,
  leftWrist: 15,
  rightWrist: 16,
  leftIndex: 19,
  rightIndex: 20,
  leftHip: 23,
  rightHip: 24,
  leftKnee: 25,
  rightKnee: 26,
  leftAnkle: 27,
  rightAnkle: 28,
  leftHeel: 29,
  rightHeel: 30,
  leftToe: 31,
  rightToe: 32,
} as const
export type LandmarkName = keyof typeof LANDMARK

export const landmark = (body: SeenPoints, name: LandmarkName): Landmark => pointAt(body.landmarks, LANDMARK[name])
export const worldLandmark = (body: SeenPoints, name: LandmarkName): WorldLandmark =>
  pointAt(body.world, LANDMARK[name])

/** @throws RangeError when a model gave fewer points than its topology has. */
export function pointAt<T>(points: readonly T[], index: number): T {
  const point = points[index]
  if (point === undefined) throw new RangeError(`no point ${index}`)
  return point
}
