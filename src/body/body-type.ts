import { coefficients } from './coefficients.ts'
import type { SexClass } from './model.ts'

/** The four words that the platform knows (CONTRACT section 6). */
export const BODY_TYPES = ['athletic', 'slim', 'average', 'broad'] as const
export type BodyType = (typeof BODY_TYPES)[number]

/**
 * Compared with ANSUR II: a waist among the narrowest quarter for its height is slim, among the widest broad; of those between, the third
 * whose chest is largest beside the waist is athletic.
 */
export function bodyTypeOf(cm: { chest: number; waist: number }, statureCm: number, sex: SexClass): BodyType {
  const { slimBelow, broadAbove, athleticAbove } = coefficients.shapes[sex]
  const waist = cm.waist / statureCm
  if (waist < slimBelow) return 'slim'
  if (waist > broadAbove) return 'broad'
  return cm.chest / cm.waist > athleticAbove ? 'athletic' : 'average'
}
