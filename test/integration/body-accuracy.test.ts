import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fitTier, ofClass, type Sight, split, TIERS, type Tier } from '../../scripts/fit-body/fit.ts'
import { inTurn } from '../../scripts/fit-body/folds.ts'
import { readAnsur } from '../../scripts/fit-body/people.ts'
import { timesLandmarks } from '../../scripts/fit-body/report.ts'
import { assess, type Row, rowOf, together } from '../../scripts/fit-body/table.ts'
import { coefficients } from '../../src/body/coefficients.ts'
import { SEX_CLASSES, type SexClass } from '../../src/body/model.ts'
import { chartFor } from '../../src/body/sizing.ts'

const folder = join(import.meta.dirname, '../../../shared/data/anthropometry')

describe.skipIf(!existsSync(folder))(
  'the committed coefficients, on people of ANSUR II that they were not fitted on',
  () => {
    const people = existsSync(folder) ? readAnsur(folder).people : []
    const { training, heldOut } = split(people)
    const asked = (sex: SexClass) => heldOut.filter(({ person }) => ofClass(sex, person))
    const modelsOf = (sex: SexClass, tier: Tier) => {
      const models = coefficients.models[sex][tier]
      if (models === undefined) throw new Error(`no coefficients for ${sex} ${tier}`)
      return models
    }
    const row = (sex: SexClass, tier: Tier): Row => rowOf(asked(sex), tier, modelsOf(sex, tier), chartFor(sex))
    /** Men and women by their own coefficients and charts, together. */
    const told = (tier: Tier) => together([row('male', tier), row('female', tier)])

    it('are what a new fit gives', () => {
      const men: Sight[] = training.filter(({ person }) => person.sex === 'male')
      expect(fitTier(men, 'LF')).toEqual(modelsOf('male', 'LF'))
    })

    it('find chest, waist and hip from a front photo', () => {
      const { maeCm } = told('LF')
      expect(maeCm.chest).toBeLessThanOrEqual(3.6)
      expect(maeCm.waist).toBeLessThanOrEqual(3.7)
      expect(maeCm.hip).toBeLessThanOrEqual(2.9)
    })

    it.each<[Tier, number, number]>([
      ['LF', 0.58, 0.98],
      ['LFW', 0.65, 0.99],
      ['LFSW', 0.72, 0.99],
    ])('find the size with %s: exactly for %d, within one for %d', (tier, exact, within) => {
      expect(told(tier).exact).toBeGreaterThanOrEqual(exact)
      expect(told(tier).withinOne).toBeGreaterThanOrEqual(within)
    })

    it('are at least 20 points better than multiples of landmarks', () => {
      for (const sex of SEX_CLASSES) {
        const old = assess(asked(sex), chartFor(sex), (sight) => timesLandmarks(sight, 2.15)).exact
        expect(row(sex, 'LF').exact - old).toBeGreaterThanOrEqual(0.2)
      }
    })

    it.each(TIERS)('are as sure as they say: %s', (tier) => {
      for (const { calibrationError, inside80 } of [told(tier), row('unknown', tier)]) {
        expect(inside80).toBeGreaterThan(0.76)
        expect(inside80).toBeLessThan(0.84)
        expect(calibrationError).toBeLessThanOrEqual(0.05)
      }
    })

    it.each(TIERS)('are as sure as they say of men alone and of women alone, everybody asked in turn: %s', (tier) => {
      for (const sex of ['male', 'female'] as const) {
        const { calibrationError, inside80 } = inTurn(people, sex, tier)
        expect(inside80).toBeGreaterThan(0.76)
        expect(inside80).toBeLessThan(0.84)
        expect(calibrationError).toBeLessThanOrEqual(0.05)
      }
    })
  },
)
