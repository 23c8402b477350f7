import { LENGTHS, LEVELS, type Length, type Level } from './features.ts'
import { distance, radians } from './geometry.ts'
import { byName, type SeenFeatures } from './instrument.ts'
import type { Posture } from './posture.ts'
import type { Scale } from './scale.ts'
import { type LandmarkName, landmark, type SeenCloseUp, type SeenPoints } from './sight.ts'
import { type Breadth, frontBreadth, sideBreadth } from './trunk.ts'

/** Between which points a length lies, and about how high it hangs on a standing body, as a share of stature. */
const SEGMENTS: Record<
  Length,
  { ends: readonly (readonly [LandmarkName, LandmarkName])[]; heightShare: number; isAcross: boolean }
> = {
  shoulder: { ends: [['leftShoulder', 'rightShoulder']], heightShare: 0.82, isAcross: true },
  hips: { ends: [['leftHip', 'rightHip']], heightShare: 0.52, isAcross: true },
  upperArm: { ends: both('Shoulder', 'Elbow'), heightShare: 0.72, isAcross: false },
  forearm: { ends: both('Elbow', 'Wrist'), heightShare: 0.56, isAcross: false },
  thigh: { ends: both('Hip', 'Knee'), heightShare: 0.4, isAcross: false },
  shank: { ends: both('Knee', 'Ankle'), heightShare: 0.16, isAcross: false },
}

/** Depth over breadth of a trunk: ANSUR II, waist. It says how much of the breadth a turned trunk still shows. */
const DEPTH_OVER_BREADTH = 0.73

/** Lengths between landmarks in cm: the picture's, since world landmarks describe an average body. */
export function lengthsSeen(body: SeenPoints, scale: Scale, posture: Posture): Record<Length, number> {
  return byName(LENGTHS, (name) => {
    const { ends, heightShare, isAcross } = SEGMENTS[name]
    const px = ends.reduce((sum, [a, b]) => sum + distance(landmark(body, a), landmark(body, b)), 0) / ends.length
    return px / scale.at(heightShare) / (isAcross ? Math.cos(certainYaw(posture)) : 1)
  })
}

/** Widths of the trunk in cm; null where an arm hides one. */
export function widthsSeen(closeUp: SeenCloseUp, scale: Scale, posture: Posture): SeenFeatures['widths'] | null {
  const yaw = certainYaw(posture)
  const shown = Math.hypot(Math.cos(yaw), DEPTH_OVER_BREADTH * Math.sin(yaw))
  return inCm((level) => frontBreadth(closeUp, level), scale, shown)
}

/** Depths of the trunk in cm, of a body that is seen from the side; null where the mask has a hole. */
export function depthsSeen(closeUp: SeenCloseUp, scale: Scale): SeenFeatures['depths'] | null {
  return inCm((level) => sideBreadth(closeUp, level), scale, 1)
}

function inCm(breadthOf: (level: Level) => Breadth | null, scale: Scale, shown: number): Record<Level, number> | null {
  const breadths = LEVELS.map(breadthOf)
  const [chest, waist, hip] = breadths.map((breadth) => breadth && breadth.px / scale.at(breadth.heightShare) / shown)
  return chest && waist && hip ? { chest, waist, hip } : null
}

/** Radians. Depth is noisy: a few degrees are nothing, and from 20 on the model is believed. */
function certainYaw({ yaw }: Posture): number {
  return radians(yaw >= 20 ? yaw : Math.max(0, 2 * yaw - 20))
}

function both(from: 'Shoulder' | 'Elbow' | 'Hip' | 'Knee', to: 'Elbow' | 'Wrist' | 'Knee' | 'Ankle') {
  return [
    [`left${from}`, `left${to}`],
    [`right${from}`, `right${to}`],
  ] as const
}
