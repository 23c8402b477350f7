import type { BodyFeatures } from './features.ts'
import { LEVELS } from './features.ts'
import type { SexClass } from './model.ts'
import type { Warning } from './reasons.ts'
import { type Estimated, measure } from './regression.ts'

/** Standard deviations by which mask and weight may contradict each other. */
const CONTRADICTION_MIN = 2.5
/** Girths over stature outside of which hardly anybody of ANSUR II or NHANES lies. */
const GIRTHS = { chest: [0.42, 0.9], waist: [0.33, 0.95], hip: [0.42, 0.95] } as const

/** Leaves out what the rest contradicts: widths are those of clothes when weight says so, and weights are mistyped. */
export function reconciled(features: BodyFeatures, sex: SexClass): { features: BodyFeatures; warnings: Warning[] } {
  const { widths, depths: _depths, ...withoutMask } = features
  if (widths === undefined) return { features, warnings: [] }
  const { weightKg, ...withoutWeight } = features
  const byMask = measure(withoutWeight, sex)
  if (LEVELS.some((level) => isAbsurd(level, byMask[level].cm / features.statureCm))) {
    return { features: withoutMask, warnings: ['loose_clothes'] }
  }
  if (weightKg === undefined) return { features, warnings: [] }
  const byWeight = measure(withoutMask, sex)
  const contradictions = LEVELS.map((level) => contradiction(byMask[level], byWeight[level]))
  if (Math.max(...contradictions) > CONTRADICTION_MIN) return { features: withoutMask, warnings: ['loose_clothes'] }
  if (Math.min(...contradictions) < -CONTRADICTION_MIN)
    return { features: withoutWeight, warnings: ['weight_disagrees'] }
  return { features, warnings: [] }
}

/** Standard deviations by which the first is larger. */
function contradiction(one: Estimated, other: Estimated): number {
  return (one.cm - other.cm) / Math.hypot(one.sdCm, other.sdCm)
}

function isAbsurd(level: keyof typeof GIRTHS, ratio: number): boolean {
  const [least, most] = GIRTHS[level]
  return ratio < least || ratio > most
}
