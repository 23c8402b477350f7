/** A state's size, and what lies between two; all lengths in units of the drawing. */
export const BOX = { width: 124, height: 62 } as const
export const GAP = { x: 46, y: 66 } as const

/** Where a state stands; all lengths in units of the drawing. */
export interface Box {
  readonly name: string
  readonly x: number
  readonly y: number
}

/** The way of an arrow around what stands between, as `d` of an SVG path takes it. */
export const pathBetween = (one: Box, other: Box, boxes: readonly Box[]): string => {
  const columns = Math.round((other.x - one.x) / (BOX.width + GAP.x))
  if (one === other) return loop(one)
  if (other.y === one.y) return columns === 1 ? straight(one, other) : bow(one, other)
  if (other.y < one.y) return up(one, other)
  if (other.x <= one.x) return downAndBack(one, other)
  const isBlocked = boxes.some((box) => box.x === one.x && box.y > one.y && box.y <= other.y)
  return isBlocked ? around(one, other) : down(one, other)
}

const middle = (box: Box) => ({ x: box.x + BOX.width / 2, y: box.y + BOX.height / 2 })

const straight = (one: Box, other: Box): string => `M${one.x + BOX.width} ${middle(one).y}H${other.x - 2}`

/** Over what stands between, and back below where it came. */
const bow = (one: Box, other: Box): string => {
  const isBack = other.x < one.x
  const [from, to] = [middle(one).x + (isBack ? -16 : 16), middle(other).x + (isBack ? 16 : -16)]
  const edge = isBack ? one.y + BOX.height : one.y
  const bend = isBack ? edge + 22 : edge - 24
  return `M${from} ${edge}C${from} ${bend} ${from} ${bend} ${(from + to) / 2} ${bend}S${to} ${bend} ${to} ${edge + (isBack ? 2 : -2)}`
}

const loop = (box: Box): string => {
  const [x, y] = [box.x + BOX.width - 26, box.y]
  return `M${x - 12} ${y}C${x - 18} ${y - 24} ${x + 18} ${y - 24} ${x + 12} ${y - 2}`
}

/** Down out of its bottom, and into the other from its left. */
const down = (one: Box, other: Box): string => {
  const from = { x: middle(one).x, y: one.y + BOX.height }
  const to = { x: other.x - 2, y: middle(other).y }
  return `M${from.x} ${from.y}V${to.y - 14}Q${from.x} ${to.y} ${from.x + 14} ${to.y}H${to.x}`
}

/** The same between two columns, past what stands below. */
const around = (one: Box, other: Box): string => {
  const from = { x: one.x + BOX.width, y: middle(one).y + 16 }
  const lane = from.x + GAP.x / 2
  const to = { x: other.x - 2, y: middle(other).y - 10 }
  return `M${from.x} ${from.y}H${lane - 8}Q${lane} ${from.y} ${lane} ${from.y + 8}V${to.y - 10}Q${lane} ${to.y} ${lane + 10} ${to.y}H${to.x}`
}

/** Down, along above the row below, and into the other from above. */
const downAndBack = (one: Box, other: Box): string => {
  const from = { x: middle(one).x - 30, y: one.y + BOX.height }
  const to = { x: middle(other).x - 8, y: other.y - 2 }
  const lane = from.y + 32
  return `M${from.x} ${from.y}V${lane - 12}Q${from.x} ${lane} ${from.x - 12} ${lane}H${to.x + 12}Q${to.x} ${lane} ${to.x} ${lane + 12}V${to.y}`
}

/** Up out of its top, along below the row above, and into the bottom of the other. */
const up = (one: Box, other: Box): string => {
  const from = { x: middle(one).x + 34, y: one.y }
  const to = { x: middle(other).x, y: other.y + BOX.height + 2 }
  const lane = to.y + 16
  return `M${from.x} ${from.y}V${lane + 12}Q${from.x} ${lane} ${from.x + 12} ${lane}H${to.x - 12}Q${to.x} ${lane} ${to.x} ${lane - 12}V${to.y}`
}
