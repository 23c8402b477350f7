import { type BodyFeatures, LENGTHS, LEVELS } from '../../src/body/features.ts'
import { byName } from '../../src/body/instrument.ts'

/** Standard deviations of what a camera and a person get wrong: of the length itself, but for height, in cm. */
export const NOISE = { length: 0.04, hips: 0.06, width: 0.035, depth: 0.04, heightCm: 1, weight: 0.015 } as const

/**
 * A body as an app would know it. All lengths come out of the picture by the stated height, so that they carry its error too.
 * `normal` gives numbers of mean 0 and standard deviation 1.
 */
export function observed(truth: Required<BodyFeatures>, normal: () => number): Required<BodyFeatures> {
  const statureCm = truth.statureCm + NOISE.heightCm * normal()
  const scale = statureCm / truth.statureCm
  const seen = (cm: number, spread: number) => cm * scale * (1 + spread * normal())
  return {
    statureCm,
    lengths: byName(LENGTHS, (name) => seen(truth.lengths[name], name === 'hips' ? NOISE.hips : NOISE.length)),
    widths: byName(LEVELS, (level) => seen(truth.widths[level], NOISE.width)),
    depths: byName(LEVELS, (level) => seen(truth.depths[level], NOISE.depth)),
    weightKg: truth.weightKg * (1 + NOISE.weight * normal()),
    ageYears: truth.ageYears,
  }
}

/** Normally distributed numbers out of evenly distributed ones (Box and Muller 1958). */
export function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
