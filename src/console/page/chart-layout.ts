/** The machine as /v1/machine has it. */
export interface Machine {
  readonly initial: string
  readonly states: readonly { readonly name: string; readonly owes: string | null; readonly final: boolean }[]
  readonly moves: readonly {
    readonly from: string
    readonly to: string
    readonly fact: string
    readonly guard: string | null
  }[]
}

/** Where a state stands; all lengths in units of the drawing. */
export interface Box {
  readonly name: string
  readonly x: number
  readonly y: number
}

/** All moves from one state to another, as one arrow. */
export interface Arrow {
  readonly from: string
  readonly to: string
  readonly facts: readonly string[]
  /** What `d` of an SVG path takes. */
  readonly path: string
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Box[]
  /** A frame around the states of a compound state. */
  readonly groups: readonly {
    readonly name: string
    readonly x: number
    readonly y: number
    readonly width: number
    readonly height: number
  }[]
  readonly arrows: readonly Arrow[]
}

export const BOX = { width: 124, height: 62 } as const
const GAP = { x: 46, y: 62 } as const
const MARGIN = { x: 22, top: 36, bottom: 30 } as const

interface Place {
  readonly column: number
  readonly row: number
}

/**
 * Places the states: a column for each step away from the start, the top row for states of the machine itself, rows below for those inside
 * of a compound state. Computed from the machine, so that a new state finds its place by itself.
 */
export const layoutOf = (machine: Machine): Layout => {
  const places = placesOf(machine)
  const boxes = machine.states.map(({ name }) => boxAt(name, places.get(name) ?? { column: 0, row: 0 }))
  const byName = new Map(boxes.map((box) => [box.name, box]))
  return {
    width: Math.max(...boxes.map(({ x }) => x)) + BOX.width + MARGIN.x,
    height: Math.max(...boxes.map(({ y }) => y)) + BOX.height + MARGIN.bottom,
    boxes,
    groups: groupsOf(boxes),
    arrows: arrowsOf(machine, byName),
  }
}

const boxAt = (name: string, { column, row }: Place): Box => ({
  name,
  x: MARGIN.x + column * (BOX.width + GAP.x),
  y: MARGIN.top + row * (BOX.height + GAP.y),
})

const placesOf = ({ initial, states, moves }: Machine): Map<string, Place> => {
  const names = states.map(({ name }) => name)
  const forward = forwardMoves(names, moves)
  const after = (name: string) => forward.filter(({ from }) => from === name).map(({ to }) => to)
  const before = (name: string) => forward.filter(({ to }) => to === name).map(({ from }) => from)
  const columns = new Map<string, number>()
  for (const name of names.toSorted((one, other) => depth(one, before) - depth(other, before))) {
    columns.set(name, Math.max(0, ...before(name).map((one) => (columns.get(one) ?? 0) + 1)))
  }
  // One that only the start leads to stands close to what follows it, where its arrow is short.
  for (const name of names) {
    const next = after(name).map((one) => columns.get(one) ?? 0)
    if (before(name).every((one) => one === initial) && next.length > 0 && name.includes('.')) {
      columns.set(name, Math.min(...next) - 1)
    }
  }
  return new Map(
    names.map((name) => [name, { column: columns.get(name) ?? 0, row: rowOf(name, names, forward, columns) }]),
  )
}

type Move = { readonly from: string; readonly to: string }

/** Without what leads back: to a state that stands earlier in the machine's order, or to itself. */
const forwardMoves = (names: readonly string[], moves: readonly Move[]): Move[] => {
  const order = new Map(names.map((name, index) => [name, index]))
  const isBack = ({ from, to }: Move) => {
    const returns = moves.some((other) => other.from === to && other.to === from)
    return from === to || (returns && (order.get(from) ?? 0) > (order.get(to) ?? 0))
  }
  return moves.filter((move) => !isBack(move))
}

/** The longest way to a state; a cycle that is left counts once around at most. */
const depth = (name: string, before: (name: string) => string[], seen: readonly string[] = []): number =>
  Math.max(
    0,
    ...before(name)
      .filter((one) => !seen.includes(one))
      .map((one) => 1 + depth(one, before, [...seen, name])),
  )

/** States of a compound one stand below; one that is not reached within it stands lower, so that no arrow runs through another. */
const rowOf = (
  name: string,
  names: readonly string[],
  forward: readonly Move[],
  columns: ReadonlyMap<string, number>,
): number => {
  const group = groupOf(name)
  const wanted = group === null ? 0 : 1
  const others = names.slice(0, names.indexOf(name)).filter((other) => (groupOf(other) ?? '') === (group ?? ''))
  const isTaken = others.some((other) => columns.get(other) === columns.get(name))
  const isEntered = forward.some(({ from, to }) => to === name && groupOf(from) === group)
  const isFirst = others.length === 0
  return group !== null && (isTaken || (!isEntered && !isFirst)) ? wanted + 1 : wanted
}

const groupOf = (name: string): string | null => (name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : null)

const groupsOf = (boxes: readonly Box[]): Layout['groups'] => {
  const named = boxes.flatMap((box) => {
    const group = groupOf(box.name)
    return group === null ? [] : [{ group, box }]
  })
  return [...Map.groupBy(named, ({ group }) => group)].map(([name, members]) => {
    const xs = members.map(({ box }) => box.x)
    const ys = members.map(({ box }) => box.y)
    const [x, y] = [Math.min(...xs) - 18, Math.min(...ys) - 34]
    return { name, x, y, width: Math.max(...xs) + BOX.width + 18 - x, height: Math.max(...ys) + BOX.height + 26 - y }
  })
}

const arrowsOf = ({ moves }: Machine, boxes: ReadonlyMap<string, Box>): Arrow[] => {
  const pairs = Map.groupBy(moves, ({ from, to }) => `${from} ${to}`)
  return [...pairs.values()].flatMap((same) => {
    const [{ from, to } = { from: '', to: '' }] = same
    const [one, other] = [boxes.get(from), boxes.get(to)]
    if (one === undefined || other === undefined) return []
    return [{ from, to, facts: [...new Set(same.map(({ fact }) => fact))], path: pathBetween(one, other) }]
  })
}

const pathBetween = (one: Box, other: Box): string => {
  const [dx, dy] = [other.x - one.x, other.y - one.y]
  const columns = Math.round(dx / (BOX.width + GAP.x))
  if (dx === 0 && dy === 0) return loop(one)
  if (dy === 0) return columns === 1 ? straight(one, other) : bow(one, other)
  return dy > 0 ? down(one, other) : up(one, other)
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

/** Down out of its bottom, and into the other from its left, or from above when it stands right below. */
const down = (one: Box, other: Box): string => {
  const from = { x: middle(one).x, y: one.y + BOX.height }
  const to = { x: other.x - 2, y: middle(other).y }
  if (other.x === one.x) return `M${from.x} ${from.y}V${other.y - 2}`
  if (other.x < one.x)
    return `M${from.x} ${from.y}C${from.x} ${to.y - 40} ${middle(other).x} ${from.y + 20} ${middle(other).x} ${other.y - 2}`
  return `M${from.x} ${from.y}V${to.y - 14}Q${from.x} ${to.y} ${from.x + 14} ${to.y}H${to.x}`
}

/** Up out of its top, along below the row above, and into the bottom of the other. */
const up = (one: Box, other: Box): string => {
  const from = { x: middle(one).x + 34, y: one.y }
  const to = { x: middle(other).x, y: other.y + BOX.height + 2 }
  if (other.x === one.x) return `M${middle(one).x} ${one.y}V${to.y}`
  const lane = to.y + 16
  return `M${from.x} ${from.y}V${lane + 12}Q${from.x} ${lane} ${from.x + 12} ${lane}H${to.x - 12}Q${to.x} ${lane} ${to.x} ${lane - 12}V${to.y}`
}
