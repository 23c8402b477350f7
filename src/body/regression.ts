import { coefficients } from './coefficients.ts'
import { type BodyFeatures, featureVector, tierOf } from './features.ts'
import { applied, type Output, type Regression, type SexClass } from './model.ts'

/** A measurement in cm with the spread of its errors among people whom the fit has not seen. */
export interface Estimated {
  readonly cm: number
  /** Standard deviation. */
  readonly sdCm: number
  /** 80 % of people lie within cm ± this. */
  readonly half80Cm: number
}

/**
 * Girths, shoulder and inside leg of a body: ridge regression of each divided by stature, fitted on ANSUR II for what is known.
 * @throws RangeError when there is no model for this combination.
 */
export function measure(features: BodyFeatures, sex: SexClass): Record<Output, Estimated> {
  const models = coefficients.models[sex][tierOf(features)]
  if (models === undefined) throw new RangeError(`no coefficients for ${tierOf(features)}`)
  return measureBy(models, features)
}

/** The same by models that are at hand: the fit tries its own before it writes them. */
export function measureBy(
  models: Readonly<Record<Output, Regression>>,
  features: BodyFeatures,
): Record<Output, Estimated> {
  const vector = featureVector(features)
  const estimate = (model: Regression): Estimated => {
    const cm = applied(model, vector) * features.statureCm
    return { cm, sdCm: cm * model.relativeSd, half80Cm: cm * model.relativeHalf80 }
  }
  return {
    chest: estimate(models.chest),
    waist: estimate(models.waist),
    hip: estimate(models.hip),
    shoulder: estimate(models.shoulder),
    inseam: estimate(models.inseam),
  }
}
