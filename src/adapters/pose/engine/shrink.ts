import type { RgbPicture } from '../../../machines/ports/pose.ts'
import type { Region } from './region.ts'

/** Which pixels of a line make up each of the small line: from where on, how many, and how much of it they are, one after the other. */
interface Shares {
  readonly first: Int32Array
  readonly count: Int32Array
  readonly weights: Float64Array
}

/**
 * An upright region as `size` × `size` pixels, three values of 0..255 each, black beyond the picture: each the mean of all that it covers,
 * so that a picture and a copy of another size give nearly the same.
 */
export const averaged = ({ rgb, width, height }: RgbPicture, { x, y, side }: Region, size: number): Float32Array => {
  const columns = sharesOf(x - side / 2, side / size, size, width)
  const rows = sharesOf(y - side / 2, side / size, size, height)
  const crop = new Float32Array(size * size * 3)
  const line = new Float32Array(size * 3)
  let [narrowed, weight] = [-1, 0]
  for (let row = 0; row < size; row++) {
    const first = rows.first[row] ?? 0
    const end = first + (rows.count[row] ?? 0)
    for (let from = first; from < end; from++) {
      // The last line of a row is mostly the first of the next.
      if (from !== narrowed) narrow(rgb, from * width * 3, columns, line)
      narrowed = from
      add(crop, row * size * 3, line, rows.weights[weight++] ?? 0)
    }
  }
  return crop
}

/** Pixels narrower than those of the picture still span one. */
const sharesOf = (from: number, step: number, size: number, length: number): Shares => {
  const shares = Array.from({ length: size }, (_value, index) => {
    const [middle, span] = [from + (index + 0.5) * step, Math.max(1, step)]
    const [start, end] = [middle - span / 2, middle + span / 2]
    const first = Math.min(length, Math.max(0, Math.floor(start)))
    const count = Math.max(0, Math.min(length, Math.ceil(end)) - first)
    const share = (pixel: number) => (Math.min(end, pixel + 1) - Math.max(start, pixel)) / span
    return { first, weights: Array.from({ length: count }, (_, at) => share(first + at)) }
  })
  return {
    first: Int32Array.from(shares, ({ first }) => first),
    count: Int32Array.from(shares, ({ weights }) => weights.length),
    weights: Float64Array.from(shares.flatMap(({ weights }) => weights)),
  }
}

/** One line of the picture, which begins at this byte, in few pixels. Counted by hand: it is run for every pixel of a photo. */
const narrow = (rgb: Uint8Array, begin: number, { first, count, weights }: Shares, line: Float32Array): void => {
  let at = 0
  for (let column = 0; column < first.length; column++) {
    let from = begin + (first[column] ?? 0) * 3
    let red = 0
    let green = 0
    let blue = 0
    for (let left = count[column] ?? 0; left > 0; left--) {
      const weight = weights[at++] ?? 0
      red += weight * (rgb[from] ?? 0)
      green += weight * (rgb[from + 1] ?? 0)
      blue += weight * (rgb[from + 2] ?? 0)
      from += 3
    }
    line[column * 3] = red
    line[column * 3 + 1] = green
    line[column * 3 + 2] = blue
  }
}

const add = (crop: Float32Array, begin: number, line: Float32Array, weight: number): void => {
  for (let at = 0; at < line.length; at++) crop[begin + at] = (crop[begin + at] ?? 0) + weight * (line[at] ?? 0)
}
