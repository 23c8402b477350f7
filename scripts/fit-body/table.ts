import { type ChartName, SIZES, type Size, sizeOf, sizeProbabilities } from '../../src/body/charts.ts'
import { LEVELS, type Level } from '../../src/body/features.ts'
import { type Estimated, measureBy } from '../../src/body/regression.ts'
import { recommended } from '../../src/body/sizing.ts'
import { type Models, only, type Sight } from './fit.ts'
import { mean } from './ridge.ts'

type Girths = Readonly<Record<Level, Estimated>>

/** How well one way to estimate did on people whom it had not seen. */
export interface Row {
  readonly people: number
  /** Mean absolute error, cm. */
  readonly maeCm: Readonly<Record<Level, number>>
  /** Mean of estimated − true chest girth, cm. */
  readonly chestBiasCm: number
  /** Shares of people, 0..1. */
  readonly exact: number
  readonly withinOne: number
  /** Share of measurements inside of their 80 % interval, all three girths. */
  readonly inside80: number
  /** Expected calibration error of the probability that goes with the recommended size, in ten bins. */
  readonly calibrationError: number
}

/** A tier's row. */
export function rowOf(sights: readonly Sight[], tier: string, models: Models, chart: ChartName): Row {
  return assess(sights, chart, ({ seen }) => measureBy(models, only(seen, tier)))
}

/** Guesses girths of a body without any regression, or by the rules before it. */
export function assess<Seen extends Sight>(
  sights: readonly Seen[],
  chart: ChartName,
  girthsOf: (sight: Seen) => Girths,
): Row {
  const outcomes = sights.map((sight) => outcomeOf(sight, girthsOf(sight), chart))
  const average = (valueOf: (outcome: Outcome) => number) => mean(outcomes.map(valueOf))
  return {
    people: sights.length,
    maeCm: {
      chest: average(({ errors }) => Math.abs(errors.chest)),
      waist: average(({ errors }) => Math.abs(errors.waist)),
      hip: average(({ errors }) => Math.abs(errors.hip)),
    },
    chestBiasCm: average(({ errors }) => errors.chest),
    exact: average(({ distance }) => Number(distance === 0)),
    withinOne: average(({ distance }) => Number(distance <= 1)),
    inside80: average(({ inside }) => inside),
    calibrationError: calibrationError(outcomes),
  }
}

/** Rows of different people in one: means, weighted by how many they are. Of calibration errors, that is the least favourable reading. */
export function together(rows: readonly Row[]): Row {
  const people = rows.reduce((sum, row) => sum + row.people, 0)
  const average = (valueOf: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + (valueOf(row) * row.people) / people, 0)
  return {
    people,
    maeCm: {
      chest: average(({ maeCm }) => maeCm.chest),
      waist: average(({ maeCm }) => maeCm.waist),
      hip: average(({ maeCm }) => maeCm.hip),
    },
    chestBiasCm: average((row) => row.chestBiasCm),
    exact: average((row) => row.exact),
    withinOne: average((row) => row.withinOne),
    inside80: average((row) => row.inside80),
    calibrationError: average((row) => row.calibrationError),
  }
}

interface Outcome {
  readonly errors: Readonly<Record<Level, number>>
  /** Sizes between the recommended and the true one. */
  readonly distance: number
  readonly confidence: number
  /** Share of the girths inside of their interval. */
  readonly inside: number
}

function outcomeOf({ person }: Sight, girths: Girths, chart: ChartName): Outcome {
  const probabilities = sizeProbabilities(girths, chart, 'regular')
  const size = recommended(probabilities)
  const error = (level: Level) => girths[level].cm - person.truth[level]
  return {
    errors: { chest: error('chest'), waist: error('waist'), hip: error('hip') },
    distance: Math.abs(place(size) - place(sizeOf(person.truth, chart))),
    confidence: probabilities[size],
    inside: mean(LEVELS.map((level) => Number(Math.abs(error(level)) <= girths[level].half80Cm))),
  }
}

const place = (size: Size): number => SIZES.indexOf(size)

/** Guo et al. 2017: how far stated confidence and the share that came true lie apart, weighted by how often it is stated. */
function calibrationError(outcomes: readonly Outcome[]): number {
  const bins = Map.groupBy(outcomes, ({ confidence }) => Math.min(9, Math.floor(confidence * 10)))
  return [...bins.values()].reduce((sum, bin) => {
    const came = mean(bin.map(({ distance }) => Number(distance === 0)))
    return sum + (bin.length / outcomes.length) * Math.abs(came - mean(bin.map(({ confidence }) => confidence)))
  }, 0)
}

/** Girths that are stated without a doubt, as the old rules did. */
export function certain(cm: Readonly<Record<Level, number>>): Girths {
  const sure = (value: number): Estimated => ({ cm: value, sdCm: 1e-6, half80Cm: 0 })
  return { chest: sure(cm.chest), waist: sure(cm.waist), hip: sure(cm.hip) }
}

export const printed = (
  name: string,
  { people, maeCm, chestBiasCm, exact, withinOne, inside80, calibrationError: ece }: Row,
): string =>
  [
    name.padEnd(34),
    String(people).padStart(5),
    ...LEVELS.map((level) => maeCm[level].toFixed(2).padStart(6)),
    chestBiasCm.toFixed(1).padStart(6),
    ...[exact, withinOne, inside80].map((share) => (100 * share).toFixed(1).padStart(6)),
    ece.toFixed(3).padStart(6),
  ].join(' ')
