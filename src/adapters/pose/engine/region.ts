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
      const [x, y] = [corner.x + cos * column - sin * row, corner.y + sin * column + cos * row]
      blend(picture, x, y, crop, (row * size + column) * 3)
    }
  }
  return crop
}

/** Writes the colour at a point between four pixels. */
const blend = ({ rgb, width, height }: RgbPicture, x: number, y: number, into: Float32Array, at: number): void => {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  for (let corner = 0; corner < 4; corner++) {
    const [column, row] = [left + (corner & 1), top + (corner >> 1)]
    if (column < 0 || row < 0 || column >= width || row >= height) continue
    const weight = (1 - Math.abs(x - column)) * (1 - Math.abs(y - row))
    const from = (row * width + column) * 3
    for (let channel = 0; channel < 3; channel++)
      into[at + channel] = (into[at + channel] ?? 0) + weight * (rgb[from + channel] ?? 0)
  }
}
