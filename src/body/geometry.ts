/** A point or direction of the plane: y points down. */
export interface Flat {
  readonly x: number
  readonly y: number
}

/** A point or direction of space: y points down, z away from the camera. */
export interface Spatial extends Flat {
  readonly z: number
}

export const middle = (a: Flat, b: Flat): Flat => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
export const distance = (a: Flat, b: Flat): number => Math.hypot(a.x - b.x, a.y - b.y)

/** The point at `share` of the way from a to b. */
export const between = (a: Flat, b: Flat, share: number): Flat => ({
  x: a.x + (b.x - a.x) * share,
  y: a.y + (b.y - a.y) * share,
})

/** Degrees, 0..180, between the ways from `corner` to the two others. */
export function angleAt(corner: Spatial, one: Spatial, other: Spatial): number {
  const [a, b] = [less(one, corner), less(other, corner)]
  const cosine = (a.x * b.x + a.y * b.y + a.z * b.z) / (length(a) * length(b))
  return degrees(Math.acos(Math.min(1, Math.max(-1, cosine))))
}

export const less = (a: Spatial, b: Spatial): Spatial => ({ x: a.x - b.x, y: a.y - b.y, z: a.z - b.z })
export const degrees = (radians: number): number => (radians * 180) / Math.PI
export const radians = (angle: number): number => (angle * Math.PI) / 180

const length = ({ x, y, z }: Spatial): number => Math.hypot(x, y, z)
