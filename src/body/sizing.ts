import { type ChartName, SIZES, type Size } from './charts.ts'
import type { SexClass } from './model.ts'

/** Less likely sizes are not worth a mention. */
const SECOND_MIN = 0.05
/** Of the probability, this much may lie below and above the range. */
const TAIL = 0.1

export type Probabilities = Readonly<Record<Size, number>>

/** The likeliest size. */
export const recommended = (probabilities: Probabilities): Size => ranked(probabilities)[0] ?? 'M'

/** The next likely size, null when it is hardly possible. */
export function second(probabilities: Probabilities): Size | null {
  const next = ranked(probabilities)[1]
  return next && probabilities[next] >= SECOND_MIN ? next : null
}

/** The sizes that hold the middle 80 %; the recommended one is always among them. */
export function range(probabilities: Probabilities): { lower: Size; upper: Size } {
  const best = SIZES.indexOf(recommended(probabilities))
  const upTo = SIZES.map((_, index) => SIZES.slice(0, index + 1).reduce((sum, size) => sum + probabilities[size], 0))
  const lower = upTo.findIndex((share) => share > TAIL)
  const upper = upTo.findIndex((share) => share >= 1 - TAIL)
  return { lower: sizeAt(Math.min(best, lower)), upper: sizeAt(Math.max(best, upper)) }
}

/** The chart for somebody who asked for none. */
export const chartFor = (sex: SexClass): ChartName =>
  (({ male: 'eu_men', female: 'eu_women', unknown: 'unisex' }) as const)[sex]

const ranked = (probabilities: Probabilities): Size[] => SIZES.toSorted((a, b) => probabilities[b] - probabilities[a])
const sizeAt = (index: number): Size => SIZES[index] ?? 'XXL'
