import type { RgbPicture } from '../../../machines/ports/pose.ts'
import type { Region } from './region.ts'

/** Which pixels of a line make up one of the small line, and how much of it each. */
interface Shares {
  readonly first: number
  readonly weights: Float64Array
}

/**
 * An upright region as `size` × `size` pixels, three values of 0..255 each, black beyond the picture: each the mean of all that it covers,
 * so that a picture and a copy of another size give nearly the same.
 */
export const averaged = ({ rgb, width, height }: RgbPicture, { x, y, side }: Region, size: number): Float32Array => {
  const columns = sharesOf(x - side / 2, side / size, size, width)
  const rows = sharesOf(y - side / 2, side / size, size, height)
  const [top, bottom] = [rows[0]?.first ?? 0, Math.max(...rows.map(({ first, weights }) => first + weights.length))]
  const lines = Array.from({ length: Math.max(0, bottom - top) }, (_, index) =>
    narrowed(rgb, (top + index) * width * 3, columns),
  )
  const crop = new Float32Array(size * size * 3)
  for (const [row, { first, weights }] of rows.entries()) {
    const into = crop.subarray(row * size * 3, (row + 1) * size * 3)
    for (const [index, weight] of weights.entries()) add(into, lines[first - top + index], weight)
  }
  return crop
}

/** Pixels narrower than those of the picture still span one. */
const sharesOf = (from: number, step: number, size: number, length: number): Shares[] =>
  Array.from({ length: size }, (_value, index) => {
    const [middle, span] = [from + (index + 0.5) * step, Math.max(1, step)]
    const [start, end] = [middle - span / 2, middle + span / 2]
    const first = Math.min(length, Math.max(0, Math.floor(start)))
    const count = Math.max(0, Math.min(length, Math.ceil(end)) - first)
    const share = (pixel: number) => (Math.min(end, pixel + 1) - Math.max(start, pixel)) / span
    return { first, weights: Float64Array.from({ length: count }, (_, at) => share(first + at)) }
  })

/** One line of the picture, which begins at this byte, in few pixels. Counted by hand: it is run for every pixel of a photo. */
const narrowed = (rgb: Uint8Array, begin: number, columns: readonly Shares[]): Float32Array => {
  const line = new Float32Array(columns.length * 3)
  let at = 0
  for (const { first, weights } of columns) {
    let from = begin + first * 3
    let red = 0
    let green = 0
    let blue = 0
    for (let index = 0; index < weights.length; index++) {
      const weight = weights[index] ?? 0
      red += weight * (rgb[from] ?? 0)
      green += weight * (rgb[from + 1] ?? 0)
      blue += weight * (rgb[from + 2] ?? 0)
      from += 3
    }
    line[at++] = red
    line[at++] = green
    line[at++] = blue
  }
  return line
}

const add = (into: Float32Array, line: Float32Array | undefined, weight: number): void => {
  if (line === undefined) return
  for (let at = 0; at < into.length; at++) into[at] = (into[at] ?? 0) + weight * (line[at] ?? 0)
}
