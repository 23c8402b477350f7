import { BOX, type Box, GAP, pathBetween } from './chart-paths.ts'

const MARGIN = { x: 22, top: 36, bottom: 30 } as const

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

interface Place {
  readonly column: number
  readonly row: number
}

type Move = { readonly from: string; readonly to: string }

/**
 * Places the states: a column for each step away from the start; one row for what a session that goes well stands in, below it the states
 * inside of a compound state, above it what leads aside. Computed from the machine, so that a new state finds its place by itself.
 */
export const layoutOf = (machine: Machine): Layout => {
  const boxes = boxesOf(machine)
  return {
    width: Math.max(...boxes.map(({ x }) => x)) + BOX.width + MARGIN.x,
    height: Math.max(...boxes.map(({ y }) => y)) + BOX.height + MARGIN.bottom,
    boxes,
    groups: groupsOf(boxes),
    arrows: arrowsOf(machine, boxes),
  }
}

const boxesOf = (machine: Machine): Box[] => {
  const columns = columnsOf(machine)
  const rows = machine.states.map((state) => rowOf(state, machine, columns))
  const top = Math.min(...rows)
  return machine.states.map(({ name }, index) =>
    boxAt(name, { column: columns.get(name) ?? 0, row: (rows[index] ?? 0) - top }),
  )
}

const boxAt = (name: string, { column, row }: Place): Box => ({
  name,
  x: MARGIN.x + column * (BOX.width + GAP.x),
  y: MARGIN.top + row * (BOX.height + GAP.y),
})

const columnsOf = ({ initial, states, moves }: Machine): Map<string, number> => {
  const names = states.map(({ name }) => name)
  const forward = forwardMoves(names, moves)
  const before = (name: string) => forward.filter(({ to }) => to === name).map(({ from }) => from)
  const depth = (name: string): number => Math.max(0, ...before(name).map((one) => 1 + depth(one)))
  const columns = new Map(names.map((name) => [name, depth(name)]))
  // One inside of a compound state that only the start leads to stands close to what follows it, where its arrow is short.
  for (const name of names) {
    const next = forward.filter(({ from }) => from === name).map(({ to }) => columns.get(to) ?? 0)
    const isEntry = groupOf(name) !== null && before(name).every((one) => one === initial)
    if (isEntry && next.length > 0) columns.set(name, Math.min(...next) - 1)
  }
  return columns
}

/** Without what leads back: to a state that stands earlier in the machine's order and leads here. What is left has no cycle. */
const forwardMoves = (names: readonly string[], moves: readonly Move[]): Move[] => {
  const order = new Map(names.map((name, index) => [name, index]))
  return moves.filter(({ from, to }) => {
    const isEarlier = (order.get(to) ?? 0) <= (order.get(from) ?? 0)
    return !(isEarlier && reachable(to, moves).has(from))
  })
}

/** A state and every state that it leads to. */
const reachable = (from: string, moves: readonly Move[]): Set<string> => {
  const found = new Set([from])
  for (const one of found) for (const move of moves) if (move.from === one) found.add(move.to)
  return found
}

/**
 * States of a compound one stand below; one that is not reached within it stands lower, so that no arrow runs through another. One
 * of the machine itself that neither ends nor owes anything makes room for those that do.
 */
const rowOf = (
  { name, owes, final }: Machine['states'][number],
  { states, moves }: Machine,
  columns: ReadonlyMap<string, number>,
): number => {
  const group = groupOf(name)
  const others = states.map((state) => state.name).filter((other) => other !== name && groupOf(other) === group)
  const isShared = others.some((other) => columns.get(other) === columns.get(name))
  if (group === null) return isShared && owes === null && !final ? -1 : 0
  const isEntered = moves.some(({ from, to }) => to === name && from !== name && groupOf(from) === group)
  const isFirst = states.find((state) => groupOf(state.name) === group)?.name === name
  return isEntered || isFirst ? 1 : 2
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

const arrowsOf = ({ moves }: Machine, boxes: readonly Box[]): Arrow[] => {
  const byName = new Map(boxes.map((box) => [box.name, box]))
  const pairs = Map.groupBy(moves, ({ from, to }) => `${from} ${to}`)
  return [...pairs.values()].flatMap((same) => {
    const [{ from, to } = { from: '', to: '' }] = same
    const [one, other] = [byName.get(from), byName.get(to)]
    if (one === undefined || other === undefined) return []
    return [{ from, to, facts: [...new Set(same.map(({ fact }) => fact))], path: pathBetween(one, other, boxes) }]
  })
}
