/** The height of capitals in the letters' own units; a line is as thick as the caller says. */
const HEIGHT = 6
const WIDTHS: Record<string, number> = { I: 0, M: 5, W: 6, ' ': 2, '.': 0, ':': 0, '1': 1.5, '-': 2 }
const WIDTH = 4
const GAP = 1.8

/**
 * Capitals and digits as strokes (SVG path data, x right, y down, baseline at 6), since a bare machine has no fonts and others have
 * different ones.
 */
const STROKES: Record<string, string> = {
  A: 'M0 6L2 0L4 6M.7 4H3.3',
  B: 'M0 0V6H2.4A1.6 1.6 0 0 0 2.4 2.8H0M0 0H2.2A1.4 1.4 0 0 1 2.2 2.8',
  C: 'M4 1.2A2.2 2.2 0 0 0 0 2V4A2.2 2.2 0 0 0 4 4.8',
  D: 'M0 0V6H1.6A2.4 2.4 0 0 0 4 3.6V2.4A2.4 2.4 0 0 0 1.6 0Z',
  E: 'M3.6 0H0V6H3.6M0 2.9H3',
  F: 'M3.6 0H0V6M0 2.9H3',
  G: 'M4 1.2A2.2 2.2 0 0 0 0 2V4A2 2 0 0 0 4 4V3.2H2.4',
  H: 'M0 0V6M4 0V6M0 2.9H4',
  I: 'M0 0V6',
  J: 'M4 0V4A2 2 0 0 1 0 4',
  K: 'M0 0V6M4 0L0 3.6M1.5 2.4L4 6',
  L: 'M0 0V6H3.6',
  M: 'M0 6V0L2.5 4L5 0V6',
  N: 'M0 6V0L4 6V0',
  O: 'M2 0A2 2 0 0 1 4 2V4A2 2 0 0 1 0 4V2A2 2 0 0 1 2 0Z',
  P: 'M0 6V0H2.3A1.65 1.65 0 0 1 2.3 3.3H0',
  Q: 'M2 0A2 2 0 0 1 4 2V4A2 2 0 0 1 0 4V2A2 2 0 0 1 2 0ZM2.5 4.5L4 6',
  R: 'M0 6V0H2.3A1.65 1.65 0 0 1 2.3 3.3H0M2 3.3L4 6',
  S: 'M3.8 1.1A1.9 1.6 0 0 0 .2 1.6C.2 3.4 3.9 2.6 3.9 4.5A2 1.6 0 0 1 0 4.8',
  T: 'M0 0H4M2 0V6',
  U: 'M0 0V4A2 2 0 0 0 4 4V0',
  V: 'M0 0L2 6L4 0',
  W: 'M0 0L1.5 6L3 1.2L4.5 6L6 0',
  X: 'M0 0L4 6M4 0L0 6',
  Y: 'M0 0L2 3L4 0M2 3V6',
  Z: 'M0 0H4L0 6H4',
  '0': 'M2 0A2 2 0 0 1 4 2V4A2 2 0 0 1 0 4V2A2 2 0 0 1 2 0Z',
  '1': 'M0 1.2L1.5 0V6',
  '2': 'M0 1.6A2 1.7 0 0 1 4 1.7C4 3.2 1.2 4.4 0 6H4',
  '3': 'M.2 0H3.8L1.8 2.3A2 1.85 0 1 1 0 5',
  '4': 'M3 6V0L0 4.2H4',
  '5': 'M3.7 0H.6L.3 2.6A2 1.8 0 1 1 0 5',
  '6': 'M3.4 0C1.4 .8 0 2.4 0 4.1A2 1.9 0 1 0 .4 3',
  '7': 'M0 0H4L1.4 6',
  '8': 'M2 0A1.6 1.4 0 0 1 2 2.8A1.6 1.4 0 0 1 2 0ZM2 2.8A2 1.6 0 0 1 2 6A2 1.6 0 0 1 2 2.8Z',
  '9': 'M.6 6C2.6 5.2 4 3.6 4 1.9A2 1.9 0 1 0 3.6 3',
  '-': 'M0 3.2H2',
  '.': 'M0 5.9V6',
  ':': 'M0 2V2.1M0 5.4V5.5',
}

export interface Lettering {
  readonly text: string
  /** Height of a capital in pixels. */
  readonly heightPx: number
  readonly strokePx: number
  readonly color: string
}

/** The width of a line of text in pixels. */
export const widthPx = ({ text, heightPx }: Pick<Lettering, 'text' | 'heightPx'>): number =>
  (Array.from(text).reduce((sum, letter) => sum + widthOf(letter) + GAP, -GAP) * heightPx) / HEIGHT

/** A line of text as an SVG group with its top left corner at the origin. Letters that are not drawn leave a space. */
export function lettering(line: Lettering): string {
  const scale = line.heightPx / HEIGHT
  let x = 0
  const paths = Array.from(line.text).map((letter) => {
    const path = STROKES[letter] === undefined ? '' : `<path transform="translate(${x} 0)" d="${STROKES[letter]}"/>`
    x += widthOf(letter) + GAP
    return path
  })
  const stroke = `stroke="${line.color}" stroke-width="${line.strokePx / scale}" stroke-linecap="round" stroke-linejoin="round"`
  return `<g transform="scale(${scale})" fill="none" ${stroke}>${paths.join('')}</g>`
}

const widthOf = (letter: string): number => WIDTHS[letter] ?? WIDTH
