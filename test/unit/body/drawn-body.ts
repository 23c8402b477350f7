import type { Landmark, SeenBody, SeenCloseUp, SeenPerson, Sight, WorldLandmark } from '../../../src/body/sight.ts'

/** How a drawn body differs from one that stands straight before a level camera, 1,000 px high in 800 × 1,200 px. */
export interface Drawing {
  /** px by which the whole body lies lower, and how large it is. */
  readonly down?: number
  readonly size?: number
  /** Half widths of the trunk in shares of stature: chest, waist, hip. */
  readonly halfWidths?: readonly [number, number, number]
  /** How far the hands are from the middle, in shares of stature. */
  readonly hands?: number
  /** Degrees by which the body is turned, leans, and bends each knee. */
  readonly yaw?: number
  readonly tilt?: number
  readonly knees?: number
  /** By how much the legs are shortened, as by a camera that looks down. */
  readonly legs?: number
}

export const WIDTH = 800
const HEIGHT = 1_200
const STATURE_PX = 1_000
const MIDDLE = WIDTH / 2
/** The close-up is as high as the picture, and as much wider on both sides. */
const SIDE = HEIGHT
const BESIDE = (SIDE - WIDTH) / 2

/** Heights above the floor and half widths of BlazePose's points, as shares of stature; left and right are drawn alike. */
const POINTS: Record<number, readonly [up: number, out: number]> = {
  0: [0.92, 0],
  2: [0.9346, 0.02],
  11: [0.815, 0.1],
  13: [0.68, 0.17],
  15: [0.56, 0.2],
  19: [0.52, 0.22],
  23: [0.52, 0.057],
  25: [0.278, 0.062],
  27: [0.045, 0.065],
  29: [0, 0.065],
  31: [-0.01, 0.075],
}
/** Points of no weight here stand where their neighbours do. */
const NEIGHBOURS: Record<number, number> = { 1: 2, 3: 2, 7: 2, 9: 2, 17: 19, 21: 19 }
const RIGHT_EYES: Record<number, number> = { 4: 2, 5: 2, 6: 2, 8: 2, 10: 2 }

/** What both models would see of a drawn body. */
export function drawn(
  drawing: Drawing = {},
): Sight & { readonly body: SeenBody & { readonly closeUp: SeenCloseUp }; readonly people: readonly [SeenPerson] } {
  const landmarks = Array.from({ length: 33 }, (_, index) => pointOf(index, drawing))
  const world = worldOf(drawing)
  const near = landmarks.map((point) => ({ ...point, x: point.x + BESIDE }))
  const closeUp = { side: SIDE, landmarks: near, world, mask: maskOf(drawing), left: -BESIDE, top: 0, scale: 1 }
  const body = { landmarks, world, closeUp }
  return { width: WIDTH, height: HEIGHT, body, people: [personOf(landmarks)] }
}

function pointOf(index: number, drawing: Drawing): Landmark {
  const { up, out } = shareOf(index, drawing)
  return { ...placed(up, out, drawing), visibility: 0.99 }
}

/** Shares of stature: above the floor, and to the person's left, which is right in the picture. */
function shareOf(index: number, { hands = 0.22, yaw = 0, legs = 1 }: Drawing): { up: number; out: number } {
  const isRightEye = index in RIGHT_EYES
  const isRight = isRightEye || (index >= 11 && index % 2 === 0)
  const source = RIGHT_EYES[index] ?? (index >= 11 && index % 2 === 0 ? index - 1 : index)
  const [up, out] = POINTS[NEIGHBOURS[source] ?? source] ?? [0, 0]
  const isArm = source >= 13 && source <= 21
  const reach = isArm ? 0.1 + (out - 0.1) * ((hands - 0.1) / 0.12) : out
  const share = up >= 0.52 ? up : 0.52 - (0.52 - up) * legs
  return { up: share, out: (isRight ? -1 : 1) * reach * Math.cos((yaw * Math.PI) / 180) }
}

function placed(up: number, out: number, { down = 0, size = 1, tilt = 0 }: Drawing): { x: number; y: number } {
  const [x, y] = [out * STATURE_PX * size, (1 - up) * STATURE_PX * size]
  const angle = (tilt * Math.PI) / 180
  return {
    x: MIDDLE + x * Math.cos(angle) - y * Math.sin(angle),
    y: 100 + down + x * Math.sin(angle) + y * Math.cos(angle),
  }
}

/** The same in metres from the hips, with the depth that turning and bending make. */
function worldOf(drawing: Drawing): WorldLandmark[] {
  const angle = ((drawing.yaw ?? 0) * Math.PI) / 180
  const bend = ((drawing.knees ?? 0) * Math.PI) / 180
  return Array.from({ length: 33 }, (_, index) => {
    const { up, out } = shareOf(index, { ...drawing, yaw: 0 })
    const below = index === 27 || index === 28 ? 0.233 : 0
    const y = 0.52 - up - below * (1 - Math.cos(bend))
    return { x: 1.7 * out * Math.cos(angle), y: 1.7 * y, z: 1.7 * (out * Math.sin(angle) + below * Math.sin(bend)) }
  })
}

/** A trunk of three widths on two legs, and arms as thick lines; 255 inside. It is drawn by rows, and so not for a body that leans. */
function maskOf(drawing: Drawing): Uint8Array {
  const mask = new Uint8Array(SIDE * SIDE)
  for (let up = 0; up < 0.815; up += 0.0004) {
    for (const [from, to] of spans(up, drawing)) fill(mask, placed(up, from, drawing), placed(up, to, drawing))
  }
  return mask
}

function spans(up: number, drawing: Drawing): (readonly [number, number])[] {
  const arm = up > 0.5 ? armAt(up, drawing) : null
  const arms: (readonly [number, number])[] =
    arm === null
      ? []
      : [
          [-arm - 0.02, -arm + 0.02],
          [arm - 0.02, arm + 0.02],
        ]
  if (up < 0.43)
    return [
      [-0.09, -0.03],
      [0.03, 0.09],
    ]
  const half = halfWidthAt(up, drawing)
  return [[-half, half], ...arms]
}

const armAt = (up: number, { hands = 0.22 }: Drawing): number => 0.1 + ((0.815 - up) / 0.295) * (hands - 0.1)

function halfWidthAt(up: number, { halfWidths: [chest, waist, hip] = [0.09, 0.08, 0.1] }: Drawing): number {
  if (up > 0.69) return chest
  return up > 0.585 ? waist : hip
}

function fill(mask: Uint8Array, from: { x: number; y: number }, to: { x: number; y: number }): void {
  const row = Math.round(from.y)
  if (row < 0 || row >= SIDE) return
  const [first, last] = [Math.round(from.x) + BESIDE, Math.round(to.x) + BESIDE]
  mask.fill(255, row * SIDE + Math.max(0, first), row * SIDE + Math.min(SIDE, last + 1))
}

/** BlazePose's numbers of COCO's 17 points. */
const COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]

function personOf(landmarks: readonly Landmark[]): SeenPerson {
  const keypoints = COCO.map((index) => ({ x: landmarks[index]?.x ?? 0, y: landmarks[index]?.y ?? 0, score: 0.9 }))
  const [xs, ys] = [keypoints.map(({ x }) => x), keypoints.map(({ y }) => y)]
  const box = { xMin: Math.min(...xs), yMin: Math.min(...ys), xMax: Math.max(...xs), yMax: Math.max(...ys) }
  return { keypoints, score: 0.8, box }
}
