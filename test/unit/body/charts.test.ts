import { describe, expect, it } from 'vitest'
import { bodyTypeOf } from '../../../src/body/body-type.ts'
import { CHARTS, type ChartName, type Fit, SIZES, sizeOf, sizeProbabilities } from '../../../src/body/charts.ts'
import { normalBelow } from '../../../src/body/normal.ts'
import { range, recommended, second } from '../../../src/body/sizing.ts'

const girths = (chest: number, sdCm = 3, [waist, hip] = [60, 60]) => {
  const estimated = (cm: number) => ({ cm, sdCm, half80Cm: 1.28 * sdCm })
  return { chest: estimated(chest), waist: estimated(waist ?? 60), hip: estimated(hip ?? 60) }
}
const size = (chest: number, chart: ChartName, fit: Fit = 'regular') =>
  recommended(sizeProbabilities(girths(chest), chart, fit))

describe('size charts', () => {
  it.each<[ChartName, number[]]>([
    ['eu_men', [82, 90, 98, 106, 114, 122]],
    ['eu_women', [78, 86, 94, 102, 113, 125]],
    ['unisex', [82, 90, 98, 106, 114, 122]],
  ])('%s gives each letter in the middle of its range', (chart, chests) => {
    expect(chests.map((chest) => size(chest, chart))).toEqual([...SIZES])
    expect(chests.map((chest) => sizeOf({ chest, waist: 70, hip: 80 }, chart))).toEqual([...SIZES])
  })

  it('begin a size where the one before ends', () => {
    expect(sizeOf({ chest: 93.9, waist: 0, hip: 0 }, 'eu_men')).toBe('S')
    expect(sizeOf({ chest: 94, waist: 0, hip: 0 }, 'eu_men')).toBe('M')
  })

  it('wearon_v1 goes by the largest girth, as the worker before this one did', () => {
    expect(sizeOf({ chest: 90, waist: 85, hip: 107 }, 'wearon_v1')).toBe('L')
    expect(recommended(sizeProbabilities(girths(90, 3, [85, 104]), 'wearon_v1', 'regular'))).toBe('L')
  })

  it('move by less than half of a size for somebody who likes it loose or close', () => {
    expect(size(100.5, 'eu_men', 'regular')).toBe('M')
    expect(size(100.5, 'eu_men', 'relaxed')).toBe('L')
    expect(size(95.5, 'eu_men', 'slim')).toBe('S')
  })

  it('give probabilities that add up to 1 and are sure only where the error is small', () => {
    for (const chart of Object.keys(CHARTS) as ChartName[]) {
      const probabilities = sizeProbabilities(girths(98, 5), chart, 'regular')
      expect(Object.values(probabilities).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
      expect(Math.min(...Object.values(probabilities))).toBeGreaterThanOrEqual(0)
    }
    expect(sizeProbabilities(girths(98, 0.5), 'eu_men', 'regular').M).toBeGreaterThan(0.99)
    expect(sizeProbabilities(girths(98, 4), 'eu_men', 'regular').M).toBeCloseTo(0.683, 2)
  })
})

describe('what is said of the probabilities', () => {
  const between = sizeProbabilities(girths(101, 4), 'eu_men', 'regular')
  it('the likeliest size, the next one, and the middle 80 %', () => {
    expect([recommended(between), second(between)]).toEqual(['M', 'L'])
    expect(range(between)).toEqual({ lower: 'M', upper: 'L' })
  })

  it('has no second size where none is likely', () => {
    const sure = sizeProbabilities(girths(98, 1), 'eu_men', 'regular')
    expect(second(sure)).toBeNull()
    expect(range(sure)).toEqual({ lower: 'M', upper: 'M' })
  })
})

describe('the normal distribution', () => {
  it('agrees with its tables', () => {
    expect(normalBelow(0, 1)).toBeCloseTo(0.5, 6)
    expect(normalBelow(1, 1)).toBeCloseTo(0.841345, 5)
    expect(normalBelow(-2.5, 2)).toBeCloseTo(0.10565, 5)
  })
})

describe('body types', () => {
  it('compare waist and chest with people of ANSUR II', () => {
    expect(bodyTypeOf({ chest: 95, waist: 76 }, 180, 'male')).toBe('slim')
    expect(bodyTypeOf({ chest: 115, waist: 110 }, 180, 'male')).toBe('broad')
    expect(bodyTypeOf({ chest: 112, waist: 92 }, 180, 'male')).toBe('athletic')
    expect(bodyTypeOf({ chest: 102, waist: 95 }, 180, 'male')).toBe('average')
  })
})
