/** Lengths between landmarks, as ANSUR II calls what they stand for: see `ANSUR_COLUMNS` in scripts/fit-body. */
export const LENGTHS = ['shoulder', 'hips', 'upperArm', 'forearm', 'thigh', 'shank'] as const
export type Length = (typeof LENGTHS)[number]

/** The heights of the trunk at which widths, depths and girths are taken. */
export const LEVELS = ['chest', 'waist', 'hip'] as const
export type Level = (typeof LEVELS)[number]

/** What is known of a body, in cm, kg and years; as a caliper would have measured it (ANSUR II's definitions). */
export interface BodyFeatures {
  readonly statureCm: number
  readonly lengths?: Readonly<Record<Length, number>>
  /** Seen from the front, arms not counted. */
  readonly widths?: Readonly<Record<Level, number>>
  /** Seen from the side. */
  readonly depths?: Readonly<Record<Level, number>>
  readonly weightKg?: number
  readonly ageYears?: number
}

/** Letters of what is known besides height: L lengths, F front widths, S side depths, W weight, A age; H for nothing. */
export function tierOf(features: BodyFeatures): string {
  const { lengths, widths, depths, weightKg, ageYears } = features
  const known = { L: lengths, F: widths, S: depths, W: weightKg, A: ageYears }
  const letters = Object.entries(known).filter(([, value]) => value !== undefined)
  return letters.map(([letter]) => letter).join('') || 'H'
}

/** What the regression sees, in the order of its coefficients: stature in m, then everything else free of the body's size. */
export function featureVector(features: BodyFeatures): number[] {
  const { statureCm, lengths, widths, depths, weightKg, ageYears } = features
  const metres = statureCm / 100
  const ratios = [
    ...(lengths ? LENGTHS.map((name) => lengths[name]) : []),
    ...(widths ? LEVELS.map((level) => widths[level]) : []),
    ...(depths ? LEVELS.map((level) => depths[level]) : []),
  ].map((cm) => cm / statureCm)
  // A body of weight w is about stature × girth²: the root is a girth, and again a ratio to stature.
  const girthByWeight = weightKg === undefined ? [] : [Math.sqrt(weightKg / metres ** 3) / 10]
  return [metres, ...ratios, ...girthByWeight, ...(ageYears === undefined ? [] : [ageYears / 100])]
}
