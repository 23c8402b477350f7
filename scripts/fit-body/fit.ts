import { type BodyFeatures, featureVector, LENGTHS } from '../../src/body/features.ts'
import { byName } from '../../src/body/instrument.ts'
import {
  applied,
  type Linear,
  OUTPUTS,
  type Output,
  type Proportions,
  type Regression,
  SEX_CLASSES,
  type SexClass,
  type Shapes,
} from '../../src/body/model.ts'
import { seeded } from '../../src/simulation/scheduler.ts'
import { normalFrom, observed } from './noise.ts'
import type { Person } from './people.ts'
import { deviation, mean, quantile, ridge } from './ridge.ts'

export const SEED = 20261122
const TRAINING_SHARE = 0.7
/** Each person is seen this often with other noise, so that no draw of it is learned. */
const VIEWS = 3

/** What a photo gives, with and without what a person says besides: see `tierOf`. */
export const TIERS = ['L', 'LW', 'LA', 'LWA', 'LF', 'LFW', 'LFA', 'LFWA', 'LFS', 'LFSW', 'LFSA', 'LFSWA'] as const
export type Tier = (typeof TIERS)[number]

export type Models = Record<Output, Regression>

/** A person as a camera saw it once. */
export interface Sight {
  readonly person: Person
  readonly seen: Required<BodyFeatures>
}

/** Divides people, each of them wholly, into those who are learned from and those who are asked. */
export function split(people: readonly Person[]): { training: Sight[]; heldOut: Sight[] } {
  const random = seeded(SEED)
  const normal = normalFrom(random)
  const isTraining = people.map(() => random() < TRAINING_SHARE)
  const sights = (some: readonly Person[]) =>
    some.map((person) => ({ person, seen: observed(person.features, normal) }))
  const training = people.filter((_, i) => isTraining[i])
  return {
    training: Array.from({ length: VIEWS }, () => sights(training)).flat(),
    heldOut: sights(people.filter((_, i) => !isTraining[i])),
  }
}

/** The features of a tier alone. */
export function only(features: Required<BodyFeatures>, tier: string): BodyFeatures {
  const { statureCm, lengths, widths, depths, weightKg, ageYears } = features
  return {
    statureCm,
    ...(tier.includes('L') && { lengths }),
    ...(tier.includes('F') && { widths }),
    ...(tier.includes('S') && { depths }),
    ...(tier.includes('W') && { weightKg }),
    ...(tier.includes('A') && { ageYears }),
  }
}

export const ofClass = <T extends { readonly sex: Person['sex'] }>(sex: SexClass, sexed: T): boolean =>
  sex === 'unknown' || sexed.sex === sex

/** The models of a tier, each output divided by stature. */
export function fitTier(sights: readonly Sight[], tier: string): Models {
  const rows = sights.map(({ seen }) => featureVector(only(seen, tier)))
  return byName(OUTPUTS, (output) => {
    const targets = sights.map(({ person, seen }) => person.truth[output] / seen.statureCm)
    return { ...rounded(ridge(rows, targets)), ...spread(rows, targets) }
  })
}

function spread(
  rows: readonly number[][],
  targets: readonly number[],
): Pick<Regression, 'relativeSd' | 'relativeHalf80'> {
  const model = ridge(rows, targets)
  const residuals = targets.map((target, i) => target / applied(model, rows[i] ?? []) - 1)
  return {
    relativeSd: round(deviation(residuals)),
    relativeHalf80: round(quantile(residuals.map(Math.abs), 0.8)),
  }
}

/** Every tier for every class of people. */
export function fitAll(training: readonly Sight[]): Record<SexClass, Record<Tier, Models>> {
  return byName(SEX_CLASSES, (sex) => {
    const sights = training.filter(({ person }) => ofClass(sex, person))
    return byName(TIERS, (tier) => fitTier(sights, tier))
  })
}

/** Quarters and thirds that give body types their words. */
export function shapesOf(people: readonly Person[]): Record<SexClass, Shapes> {
  return byName(SEX_CLASSES, (sex) => {
    const own = people.filter((person) => ofClass(sex, person))
    const waists = own.map(({ truth, features }) => truth.waist / features.statureCm)
    const [slimBelow, broadAbove] = [round(quantile(waists, 1 / 4)), round(quantile(waists, 3 / 4))]
    const between = own.filter((_, i) => (waists[i] ?? 0) > slimBelow && (waists[i] ?? 0) < broadAbove)
    return {
      slimBelow,
      broadAbove,
      athleticAbove: round(
        quantile(
          between.map(({ truth }) => truth.chest / truth.waist),
          2 / 3,
        ),
      ),
    }
  })
}

/** How bodies are made, both sexes together. */
export function proportionsOf(people: readonly Person[]): Proportions {
  return byName(LENGTHS, (name) => {
    const ratios = people.map(({ features }) => features.lengths[name] / features.statureCm)
    return { mean: round(mean(ratios)), sd: round(deviation(ratios)) }
  })
}

export const rounded = ({ intercept, weights }: Linear): Linear => ({
  intercept: round(intercept),
  weights: weights.map(round),
})

/** Six digits are far below any error here, and the same on every machine. */
export const round = (value: number): number => Number(value.toPrecision(6))
