import { describe, expect, it } from 'vitest'
import { normalFrom, observed } from '../../../scripts/fit-body/noise.ts'
import { deviation, mean, ridge, solve } from '../../../scripts/fit-body/ridge.ts'
import { seeded } from '../../../src/simulation/scheduler.ts'

describe('the fit', () => {
  it('finds the line that data were made of', () => {
    const normal = normalFrom(seeded(7))
    const rows = Array.from({ length: 500 }, () => [normal(), 5 + 2 * normal()])
    const { intercept, weights } = ridge(
      rows,
      rows.map(([a = 0, b = 0]) => 3 + 2 * a - 0.5 * b),
    )
    expect(intercept).toBeCloseTo(3, 1)
    expect(weights[0]).toBeCloseTo(2, 1)
    expect(weights[1]).toBeCloseTo(-0.5, 1)
  })

  it('solves equations whose first pivot is 0', () => {
    expect(
      solve(
        [
          [0, 2],
          [4, 1],
        ],
        [6, 11],
      ),
    ).toEqual([2, 3])
  })

  it('draws numbers of mean 0 and deviation 1, the same for the same seed', () => {
    const draw = () => Array.from({ length: 5_000 }, normalFrom(seeded(11)))
    expect(mean(draw())).toBeCloseTo(0, 1)
    expect(deviation(draw())).toBeCloseTo(1, 1)
    expect(draw()).toEqual(draw())
  })

  it('carries the error of a stated height into every length, since pixels are measured by it', () => {
    const truth = {
      statureCm: 180,
      lengths: { shoulder: 42, hips: 28, upperArm: 36, forearm: 27, thigh: 44, shank: 42 },
      widths: { chest: 29, waist: 32, hip: 35 },
      depths: { chest: 25, waist: 23, hip: 24 },
      weightKg: 80,
      ageYears: 30,
    }
    const onlyHeight = [5, ...Array.from({ length: 20 }, () => 0)]
    const seen = observed(truth, () => onlyHeight.shift() ?? 0)
    expect(seen.statureCm).toBe(185)
    expect(seen.widths.waist / seen.statureCm).toBeCloseTo(truth.widths.waist / truth.statureCm)
  })
})
