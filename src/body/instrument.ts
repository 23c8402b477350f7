import { type BodyFeatures, LENGTHS, LEVELS, type Length, type Level } from './features.ts'
import { applied, type Instrument } from './model.ts'

/** What the camera sees of a body, in cm at its stated height: landmarks stand in joints, masks show the skin and the clothes. */
export type SeenFeatures = Pick<BodyFeatures, 'statureCm' | 'weightKg' | 'ageYears'> & {
  readonly lengths: Readonly<Record<Length, number>>
  readonly widths?: Readonly<Record<Level, number>>
  readonly depths?: Readonly<Record<Level, number>>
}

/**
 * What a caliper would have read: the regressions know no other measure. The conversion was fitted on rendered bodies with known
 * girths (scripts/fit-body/instrument.ts), since nobody measured people and photographed them for it.
 */
export function calibrated(seen: SeenFeatures, instrument: Instrument): BodyFeatures {
  const { lengths, widths, depths, ...stated } = seen
  return {
    ...stated,
    lengths: byName(LENGTHS, (name) => lengths[name] * instrument.lengths[name]),
    ...(widths && {
      widths: byName(
        LEVELS,
        (level) => applied(instrument.widths[level], widthVector(seen.statureCm, widths)) * seen.statureCm,
      ),
    }),
    ...(depths && { depths: byName(LEVELS, (level) => depths[level] * instrument.depths[level]) }),
  }
}

/** What the breadths are converted from: stature in m, and the three widths as ratios to it. */
export function widthVector(statureCm: number, widths: Readonly<Record<Level, number>>): number[] {
  return [statureCm / 100, ...LEVELS.map((level) => widths[level] / statureCm)]
}

/** One value for each name. */
export function byName<K extends string, V>(names: readonly K[], valueOf: (name: K) => V): Record<K, V> {
  // Object.fromEntries forgets the names' type.
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<K, V>
}
