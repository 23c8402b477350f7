import { normalBelow } from './normal.ts'
import type { Estimated } from './regression.ts'

/** Letter sizes that the platform knows (CONTRACT section 6), small to large. */
export const SIZES = ['XS', 'S', 'M', 'L', 'XL', 'XXL'] as const
export type Size = (typeof SIZES)[number]

interface Chart {
  /** cm: a body up to the first is XS, up to the second S ... and above the last XXL. */
  readonly upTo: readonly [number, number, number, number, number]
  /** The chart is read at the largest of these girths. */
  readonly girths: readonly ('chest' | 'waist' | 'hip')[]
}

/**
 * `eu_men` and `eu_women`: the letter codes of EN 13402-3 by chest and bust girth. `unisex`: the men's, as such garments are cut.
 * `wearon_v1`: the thresholds of the worker before this one, which read them at the largest of its three girths.
 */
export const CHARTS = {
  eu_men: { upTo: [86, 94, 102, 110, 118], girths: ['chest'] },
  eu_women: { upTo: [82, 90, 98, 107, 119], girths: ['chest'] },
  unisex: { upTo: [86, 94, 102, 110, 118], girths: ['chest'] },
  wearon_v1: { upTo: [84, 92, 100, 108, 116], girths: ['chest', 'waist', 'hip'] },
} as const satisfies Record<string, Chart>
export type ChartName = keyof typeof CHARTS

/** cm that a body counts larger or smaller by when somebody likes it loose or close: less than half of a size. */
export const EASE_CM = { slim: -3, regular: 0, relaxed: 3 } as const
export type Fit = keyof typeof EASE_CM

/** How likely each size is the one that a tape would have given, with normally spread errors; they add up to 1. */
export function sizeProbabilities(
  girths: Readonly<Record<'chest' | 'waist' | 'hip', Estimated>>,
  name: ChartName,
  fit: Fit,
): Record<Size, number> {
  const chart: Chart = CHARTS[name]
  const below = [...chart.upTo.map((limit) => belowLimit(limit)), 1]
  const probability = (index: number) => (below[index] ?? 1) - (index === 0 ? 0 : (below[index - 1] ?? 0))
  const [XS, S, M, L, XL, XXL] = SIZES.map((_, index) => probability(index)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return { XS, S, M, L, XL, XXL }

  // Errors of the three girths go together (they share height and weight), so the largest one decides for all.
  function belowLimit(limit: number): number {
    const each = chart.girths.map((girth) => normalBelow(limit - EASE_CM[fit] - girths[girth].cm, girths[girth].sdCm))
    return Math.min(...each)
  }
}

/** The size of a body that was measured without error. */
export function sizeOf(girthsCm: Readonly<Record<'chest' | 'waist' | 'hip', number>>, name: ChartName): Size {
  const chart: Chart = CHARTS[name]
  const largest = Math.max(...chart.girths.map((girth) => girthsCm[girth]))
  const index = chart.upTo.findIndex((limit) => largest < limit)
  return SIZES[index === -1 ? SIZES.length - 1 : index] ?? 'XXL'
}
