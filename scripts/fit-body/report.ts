import { LEVELS } from '../../src/body/features.ts'
import { calibrated } from '../../src/body/instrument.ts'
import { type Instrument, SEX_CLASSES, type SexClass } from '../../src/body/model.ts'
import { measureBy } from '../../src/body/regression.ts'
import { chartFor } from '../../src/body/sizing.ts'
import { fitTier, type Models, ofClass, type Sight, TIERS, type Tier } from './fit.ts'
import { inTurn } from './folds.ts'
import type { RenderedBody } from './instrument.ts'
import type { Person } from './people.ts'
import { mean } from './ridge.ts'
import { assess, certain, printed, type Row, rowOf, together } from './table.ts'

interface Fitted {
  readonly people: readonly Person[]
  readonly training: readonly Sight[]
  readonly heldOut: readonly Sight[]
  readonly models: Readonly<Record<SexClass, Readonly<Record<Tier, Models>>>>
  readonly instruments: Readonly<Record<SexClass, Instrument>>
  readonly bodies: readonly RenderedBody[]
  readonly nhanes: readonly {
    sex: 'male' | 'female'
    statureCm: number
    weightKg: number
    waist: number
    hip: number
  }[]
}

const HEAD = `${''.padEnd(34)} people  chest  waist    hip   bias  exact within    80%    ECE`

/** What the fit is worth, as lines to print: people held out, rendered bodies, civilians. */
export function report(fitted: Fitted): string[] {
  return [
    'ANSUR II, people held out, with the noise of a camera: mean absolute error in cm, bias of the chest in cm,',
    'share of exact sizes, of sizes at most one off and of girths inside of their 80 % interval in %, calibration error',
    ...SEX_CLASSES.flatMap((sex) => [HEAD, ...classRows(fitted, sex), '']),
    HEAD,
    ...TIERS.map((tier) => printed(`sex told ${tier}`, bothRow(fitted, tier))),
    '',
    'Everybody in turn, by a fit of others',
    HEAD,
    ...(['male', 'female'] as const).flatMap((sex) =>
      TIERS.map((tier) => printed(`${sex} ${tier}, in turn`, inTurn(fitted.people, sex, tier))),
    ),
    '',
    ...renderedRows(fitted),
    '',
    ...civilianRows(fitted),
  ]
}

function classRows({ training, heldOut, models }: Fitted, sex: SexClass): string[] {
  const asked = heldOut.filter(({ person }) => ofClass(sex, person))
  const learned = training.filter(({ person }) => ofClass(sex, person))
  const chart = chartFor(sex)
  return [
    ...['H', 'W'].map((tier) => printed(`${sex} ${tier}, no photo`, rowOf(asked, tier, fitTier(learned, tier), chart))),
    ...NAIVE.map(([name, row]) => printed(`${sex} ${name}`, row(asked, sex))),
    ...TIERS.map((tier) => printed(`${sex} ${tier}`, rowOf(asked, tier, models[sex][tier], chart))),
  ]
}

/** Men and women by their own coefficients and charts. */
function bothRow({ heldOut, models }: Fitted, tier: Tier): Row {
  const ofSex = (sex: 'male' | 'female') =>
    rowOf(
      heldOut.filter(({ person }) => person.sex === sex),
      tier,
      models[sex][tier],
      chartFor(sex),
    )
  return together([ofSex('male'), ofSex('female')])
}

/** The rules that stood here before, on the same landmarks. */
const NAIVE: [string, (asked: readonly Sight[], sex: SexClass) => ReturnType<typeof assess>][] = [
  ['chest = 2 x shoulder', (asked, sex) => assess(asked, chartFor(sex), (sight) => timesLandmarks(sight, 2))],
  ['chest = 2.15 x shoulder', (asked, sex) => assess(asked, chartFor(sex), (sight) => timesLandmarks(sight, 2.15))],
  ['old worker, its own chart', (asked) => assess(asked, 'wearon_v1', (sight) => timesLandmarks(sight, 2.15))],
]

/** Girths as multiples of landmarks, the waist and the hip by the factors of the worker before this one. */
export function timesLandmarks({ seen: { lengths } }: Sight, chestFactor: number): ReturnType<typeof certain> {
  return certain({ chest: chestFactor * lengths.shoulder, waist: 1.55 * lengths.hips, hip: 1.95 * lengths.hips })
}

function renderedRows({ bodies, models, instruments }: Fitted): string[] {
  const line = (sex: SexClass, tier: 'L' | 'LF' | 'LFS') => {
    const own = bodies.filter((body) => ofClass(sex, body))
    const errors = own.map(({ seen: { widths, depths, ...seen }, truth }) => {
      const known = { ...seen, ...(tier.includes('F') && { widths }), ...(tier.includes('S') && { depths }) }
      const found = measureBy(models[sex][tier], calibrated(known, instruments[sex]))
      return LEVELS.map((level) => found[level].cm - truth[level])
    })
    const mae = LEVELS.map((_, i) =>
      mean(errors.map((error) => Math.abs(error[i] ?? Number.NaN)))
        .toFixed(2)
        .padStart(6),
    )
    return `${`${sex} ${tier}`.padEnd(34)} ${String(own.length).padStart(5)} ${mae.join(' ')}`
  }
  return [
    'Rendered bodies, which the conversion was fitted on: mean absolute error in cm of chest, waist, hip',
    ...SEX_CLASSES.flatMap((sex) => (['L', 'LF', 'LFS'] as const).map((tier) => line(sex, tier))),
  ]
}

function civilianRows({ training, nhanes }: Fitted): string[] {
  const line = (sex: 'male' | 'female') => {
    const models = fitTier(
      training.filter(({ person }) => person.sex === sex),
      'W',
    )
    const own = nhanes.filter((person) => person.sex === sex)
    const errors = own.map((person) => {
      const found = measureBy(models, person)
      return { waist: found.waist.cm - person.waist, hip: found.hip.cm - person.hip }
    })
    const bias = (level: 'waist' | 'hip') => mean(errors.map((error) => error[level])).toFixed(1)
    return `${sex.padEnd(34)} ${String(own.length).padStart(5)}  waist ${bias('waist')}  hip ${bias('hip')}`
  }
  return [
    'NHANES 2017-2020, civilians, height and weight alone: bias in cm, estimated - measured',
    line('male'),
    line('female'),
  ]
}
