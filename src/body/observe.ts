import { coefficients } from './coefficients.ts'
import { isImplausible, reasonsAgainst } from './gates.ts'
import { calibrated, type SeenFeatures } from './instrument.ts'
import type { SexClass } from './model.ts'
import { type Posture, postureOf } from './posture.ts'
import type { Reason, Warning } from './reasons.ts'
import { scaleOf } from './scale.ts'
import { depthsSeen, lengthsSeen, widthsSeen } from './seen.ts'
import type { Sight } from './sight.ts'

/** Degrees from which on a body counts as turned a little, and the slope of the scale from which on a camera looks down. */
const SLIGHT_YAW = 20
const SLOPE_MAX = 0.2

/** What a photo, and perhaps one from the side, tell of a body of this height. */
export interface Observed {
  readonly seen: SeenFeatures
  readonly posture: Posture
  /** See `Scale`. */
  readonly slope: number
  readonly warnings: readonly Warning[]
}

/** Measures a body in its pictures, or tells why that cannot be. */
export function observe(
  front: Sight,
  side: Sight | undefined,
  statureCm: number,
  sex: SexClass,
): Observed | { reasons: [Reason, ...Reason[]] } {
  const [main, ...others] = reasonsAgainst(front, 'front')
  const { body } = front
  const closeUp = body?.closeUp ?? null
  if (main !== undefined || body === null || closeUp === null) return { reasons: [main ?? 'no_person', ...others] }
  const [posture, scale] = [postureOf(closeUp), scaleOf(closeUp, statureCm)]
  const lengths = lengthsSeen(closeUp, scale, posture)
  if (isImplausible(calibrated({ statureCm, lengths }, coefficients.instruments[sex]).lengths ?? lengths, statureCm)) {
    return { reasons: ['implausible'] }
  }
  const widths = widthsSeen(closeUp, scale, posture)
  const depths = side && widths ? depthsOf(side, statureCm) : null
  const warnings: [Warning, boolean][] = [
    ['arms_close_to_body', widths === null],
    ['slightly_turned', posture.yaw >= SLIGHT_YAW],
    ['camera_not_level', scale.slope > SLOPE_MAX],
    ['side_photo_not_used', side !== undefined && depths === null],
  ]
  return {
    seen: { statureCm, lengths, ...(widths && { widths }), ...(depths && { depths }) },
    posture: postureOf(body),
    slope: scale.slope,
    warnings: warnings.filter(([, applies]) => applies).map(([warning]) => warning),
  }
}

/** A photo from the side that will not do is no reason to refuse the other one. */
function depthsOf(side: Sight, statureCm: number): SeenFeatures['depths'] | null {
  const closeUp = side.body?.closeUp ?? null
  if (closeUp === null || reasonsAgainst(side, 'side').length > 0) return null
  return depthsSeen(closeUp, scaleOf(closeUp, statureCm))
}
