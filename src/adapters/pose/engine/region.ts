import type { RgbPicture } from '../../../machines/ports/pose.ts'

/** A square of a picture, perhaps turned: its middle and side in px, and radians, clockwise as one looks at the picture. */
export interface Region {
  readonly x: number
  readonly y: number
  readonly side: number
  readonly rotation: number
}

/** Where a point of a region lies in the picture, px; `u` and `v` are shares of its sides. */
export const placed = ({ x, y, side, rotation }: Region, u: number, v: number): { x: number; y: number } => {
  const [right, down] = [(u - 0.5) * side, (v - 0.5) * side]
  const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)]
  return { x: x + cos * right - sin * down, y: y + sin * right + cos * down }
}

/**
 * A region as `size` × `size` pixels, three values of 0..255 each, black beyond the picture: each the colour at one point, between four
 * pixels by their distance (TensorFlow's `image.transform`, bilinear).
 */
export const cropped = (picture: RgbPicture, region: Region, size: number): Float32Array => {
  const crop = new Float32Array(size * size * 3)
  const corner = placed(region, 0, 0)
  const step = region.side / size
  const [cos, sin] = [Math.cos(region.rotation) * step, Math.sin(region.rotation) * step]
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = corner.x + cos * column - sin * row
      const y = corner.y + sin * column + cos * row
      blend(picture, x, y, crop, (row * size + column) * 3)
    }
  }
  return crop
}

/** Writes the colour at a point between four pixels. Counted by hand: it is run for every pixel that a network sees. */
export const blend = (picture: RgbPicture, x: number, y: number, into: Float32Array, at: number): void => {
  const { rgb, width, height } = picture
  const left = Math.floor(x)
  const top = Math.floor(y)
  let red = 0
  let green = 0
  let blue = 0
  for (let corner = 0; corner < 4; corner++) {
    const column = left + (corner & 1)
    const row = top + (corner >> 1)
    if (column < 0 || row < 0 || column >= width || row >= height) continue
    const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row))
    const from = (row * width + column) * 3
    red += weight * (rgb[from] ?? 0)
    green += weight * (rgb[from + 1] ?? 0)
    blue += weight * (rgb[from + 2] ?? 0)
  }
  into[at] = red
  into[at + 1] = green
  into[at + 2] = blue
}
