import type {
  BodyPose,
  CloseUp,
  NoEstimate,
  PersonSeen,
  PoseEngine,
  PoseEstimate,
  PoseModelStatus,
  RgbPicture,
} from '../../src/machines/ports/pose.ts'

type Answer = PoseEstimate | NoEstimate

/** A pose engine without models: it says what the test says, and counts the pictures that it was given. */
export const memoryPose = (
  answer: (picture: RgbPicture, signal: AbortSignal) => Answer | Promise<Answer>,
  { state = 'ready', waiting = 0 }: Partial<Pick<PoseModelStatus, 'state' | 'waiting'>> = {},
) => {
  const pictures: RgbPicture[] = []
  const engine: PoseEngine = {
    estimate: async (picture, signal) => {
      pictures.push(picture)
      return answer(picture, signal)
    },
    status: () => ({ state, backend: 'wasm', reason: null, enginesReady: 1, engines: 1, waiting }),
    close: async () => {},
  }
  return { engine, pictures }
}

/** Nobody in the picture. */
export const nobody: PoseEstimate = { body: null, people: [], timing: { queuedMs: 0, blazePoseMs: 80, moveNetMs: 40 } }

/** Height above the floor and distance from the middle of somebody's points on the left, as shares of stature; ANSUR's means. */
const POINTS: Readonly<Record<number, readonly [up: number, aside: number]>> = {
  0: [0.92, 0],
  2: [0.935, 0.02],
  11: [0.82, 0.1],
  13: [0.681, 0.165],
  15: [0.562, 0.22],
  19: [0.52, 0.235],
  23: [0.52, 0.057],
  25: [0.276, 0.06],
  27: [0.045, 0.06],
  29: [0, 0.06],
  31: [-0.005, 0.065],
}
/** BlazePose's points on the right that mirror those above. */
const MIRRORED: Readonly<Record<number, number>> = { 5: 2, ...others(11, 13, 15, 19, 23, 25, 27, 29, 31) }
/** COCO's points, as MoveNet gives them, by BlazePose's numbers. */
const COCO = [0, 2, 5, 2, 5, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
const STATURE_SHARE = 0.8
const FLOOR_SHARE = 0.9
/** Half of the trunk, and a leg's outer edge, as shares of stature. */
const HALF_TRUNK = 0.085
const CROTCH = 0.46

/** Somebody who stands in the middle of a picture of this size and faces the camera. */
export const standing = ({ width, height }: Pick<RgbPicture, 'width' | 'height'>): PoseEstimate => {
  const stature = STATURE_SHARE * height
  const shares = Array.from({ length: 33 }, (_, index) => shareOf(index))
  const landmarks = shares.map(([up, aside]) => ({
    x: width / 2 + aside * stature,
    y: FLOOR_SHARE * height - up * stature,
    z: 0,
    visibility: 0.99,
  }))
  const world = shares.map(([up, aside]) => ({ x: aside * 1.6, y: (0.52 - up) * 1.6, z: 0, visibility: 0.99 }))
  const keypoints = COCO.map((index) => ({ x: 0, y: 0, ...landmarks[index], score: 0.9 }))
  const box = {
    xMin: width / 2 - 0.25 * stature,
    yMin: 0.1 * height,
    xMax: width / 2 + 0.25 * stature,
    yMax: FLOOR_SHARE * height,
  }
  const person: PersonSeen = { keypoints: keypoints.map(({ x, y, score }) => ({ x, y, score })), score: 0.9, box }
  const body: BodyPose = { landmarks, world, score: 0.99, closeUp: closeUpOf({ landmarks, world }, width, height) }
  return { body, people: [person], timing: { queuedMs: 0, blazePoseMs: 80, moveNetMs: 40 } }
}

function others(...points: number[]): Record<number, number> {
  return Object.fromEntries(points.map((left) => [left + 1, left]))
}

const shareOf = (index: number): readonly [up: number, aside: number] => {
  const left = POINTS[MIRRORED[index] ?? index] ?? [0.9, 0]
  return index in MIRRORED ? [left[0], -left[1]] : left
}

/** The picture, widened or heightened to a square. Trunk and legs; the arms are held away from them. */
const closeUpOf = (
  { landmarks, world }: Pick<BodyPose, 'landmarks' | 'world'>,
  width: number,
  height: number,
): CloseUp => {
  const side = Math.max(width, height)
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)]
  const near = landmarks.map(({ x, y, visibility }) => ({ x: x - left, y: y - top, visibility }))
  const inSpace = world.map(({ x, y, z }) => ({ x, y, z }))
  const mask = new Uint8Array(side * side)
  const stature = STATURE_SHARE * height
  const row = (up: number) => Math.round(FLOOR_SHARE * height - up * stature) - top
  const [middle, half] = [Math.round(width / 2) - left, Math.round(HALF_TRUNK * stature)]
  for (let y = row(0.84); y < row(CROTCH); y++) mask.fill(255, y * side + middle - half, y * side + middle + half)
  return { side, landmarks: near, world: inSpace, mask, left, top, scale: 1 }
}
