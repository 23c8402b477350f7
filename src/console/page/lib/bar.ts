import { s } from './dom.ts'

export interface Share {
  readonly name: string
  readonly value: number
  /** One of the tones of `.sign`. */
  readonly tone: string
}

const WIDTH = 1_000
const HEIGHT = 14

/** Shares of a whole side by side. The numbers stand beside it in words, so a screen reader passes it over. */
export const shareBar = (shares: readonly Share[], whole: number): SVGElement => {
  let x = 0
  const parts = shares.map(({ name, value, tone }) => {
    const width = whole === 0 ? 0 : (Math.max(0, value) / whole) * WIDTH
    const part = s('rect', { x, y: 0, width, height: HEIGHT, 'data-tone': tone }, s('title', {}, name))
    x += width
    return part
  })
  return s(
    'svg',
    { class: 'bar', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    parts,
  )
}
