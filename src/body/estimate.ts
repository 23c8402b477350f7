import { BodyAnswer, type BodyRefusal, refusal } from './answer.ts'
import { bodyTypeOf } from './body-type.ts'
import { type ChartName, SIZES, sizeProbabilities } from './charts.ts'
import { coefficients } from './coefficients.ts'
import type { BodyFeatures } from './features.ts'
import { byName, calibrated } from './instrument.ts'
import { OUTPUTS, type Output, type SexClass } from './model.ts'
import { type Observed, observe } from './observe.ts'
import { WARNINGS, type Warning } from './reasons.ts'
import { type Estimated, measure } from './regression.ts'
import type { BodyRequest } from './request.ts'
import type { Sight } from './sight.ts'
import { chartFor, range, recommended, second } from './sizing.ts'
import { reconciled } from './weigh.ts'

/** What a request says of the body itself. */
export type Stated = Omit<BodyRequest, 'image_url' | 'side_image_url'>

/** By how much each warning spreads the errors, beside those that the regression was fitted with. */
const SPREAD: Partial<Record<Warning, number>> = { slightly_turned: 1.2, camera_not_level: 1.2, unusual_build: 1.3 }

/** Body mass indices that ANSUR II holds enough people of. */
const BMI = { min: 18, max: 35 }
/** Years that ANSUR II covers. */
const AGE = { min: 17, max: 58 }

/**
 * Size and measurements of the person in the photo, or why there are none. Pure: the same pictures and words give the same answer.
 * `side` is a second photo, from the side.
 */
export function estimateBody(front: Sight, stated: Stated, side?: Sight): BodyAnswer | BodyRefusal {
  const sex: SexClass = stated.sex ?? 'unknown'
  const observed = observe(front, side, stated.height_cm, sex)
  if ('reasons' in observed) return refusal(observed.reasons)
  const known = calibrated({ ...observed.seen, ...said(stated) }, coefficients.instruments[sex])
  const { features, warnings } = reconciled(known, sex)
  return answered(observed, features, [...observed.warnings, ...warnings, ...unusual(stated)], stated)
}

function said({ weight_kg, age }: Stated): Pick<BodyFeatures, 'weightKg' | 'ageYears'> {
  return {
    ...(weight_kg !== undefined && { weightKg: weight_kg }),
    ...(age !== undefined && { ageYears: Math.min(AGE.max, Math.max(AGE.min, age)) }),
  }
}

function unusual({ height_cm, weight_kg }: Stated): Warning[] {
  const index = weight_kg === undefined ? 25 : weight_kg / (height_cm / 100) ** 2
  return index < BMI.min || index > BMI.max ? ['unusual_build'] : []
}

function answered(
  { posture, slope }: Observed,
  features: BodyFeatures,
  told: readonly Warning[],
  stated: Stated,
): BodyAnswer {
  const sex: SexClass = stated.sex ?? 'unknown'
  const measured = widened(measure(features, sex), told)
  const chart: ChartName = stated.chart ?? chartFor(sex)
  const fit = stated.fit ?? 'regular'
  const probabilities = sizeProbabilities(measured, chart, fit)
  const size = recommended(probabilities)
  const isAtEnd = size === 'XS' || size === 'XXL'
  const warnings: Warning[] = isAtEnd ? [...told, 'size_at_end_of_chart'] : [...told]
  return {
    recommended_size: size,
    measurements: inCm((output) => tenths(measured[output].cm)),
    confidence: thousandths(probabilities[size]),
    body_type: bodyTypeOf({ chest: measured.chest.cm, waist: measured.waist.cm }, features.statureCm, sex),
    size_range: range(probabilities),
    basis: { method: METHOD, inputs: inputsOf(features, stated), chart, fit },
    intervals: inCm((output) => interval(measured[output])),
    size_probabilities: byName(SIZES, (name) => thousandths(probabilities[name])),
    second_size: second(probabilities),
    warnings: warnings.map((code) => ({ code, hint: WARNINGS[code] })),
    quality: {
      body_height_px: Math.round(posture.eyesToHeelsPx),
      yaw_deg: tenths(posture.yaw),
      tilt_deg: tenths(posture.tilt),
      perspective: thousandths(slope),
    },
  }
}

const METHOD = BodyAnswer.shape.basis.shape.method.value

function widened(measured: Record<Output, Estimated>, warnings: readonly Warning[]): Record<Output, Estimated> {
  const spread = warnings.reduce((product, warning) => product * (SPREAD[warning] ?? 1), 1)
  return byName(OUTPUTS, (output) => {
    const { cm, sdCm, half80Cm } = measured[output]
    return { cm, sdCm: sdCm * spread, half80Cm: half80Cm * spread }
  })
}

function inputsOf(
  { lengths, widths, depths, weightKg, ageYears }: BodyFeatures,
  { sex }: Stated,
): BodyAnswer['basis']['inputs'] {
  const known = { landmarks: lengths, front_widths: widths, side_depths: depths, weight: weightKg, age: ageYears, sex }
  const names = ['landmarks', 'front_widths', 'side_depths', 'weight', 'age', 'sex'] as const
  return ['height', ...names.filter((name) => known[name] !== undefined)]
}

const interval = ({ cm, half80Cm }: Estimated) => ({ lower: tenths(cm - half80Cm), upper: tenths(cm + half80Cm) })

/** One value for each measurement, under the names of the wire. */
function inCm<T>(valueOf: (output: Output) => T) {
  return {
    chest_cm: valueOf('chest'),
    waist_cm: valueOf('waist'),
    hip_cm: valueOf('hip'),
    shoulder_cm: valueOf('shoulder'),
    inseam_cm: valueOf('inseam'),
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10
const thousandths = (value: number): number => Math.round(value * 1_000) / 1_000
