import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { initialLeaf, leavesOf, pathOf } from './compile.ts'

interface Arrow {
  readonly from: AnyStateNode
  readonly to: AnyStateNode
  readonly fact: string
  readonly guard: string | null
}

/** The command that writes the page anew. */
export const REGENERATE = 'npx node scripts/chart.ts'

/** A page with the machine's chart and a table of its states, as Markdown. Generated, so that it cannot say what is not so. */
export const chartPage = (machine: AnyStateMachine): string => `# The life of a session

Generated from \`src/machines/session.ts\`: change the machine, then \`${REGENERATE}\`.
An arrow carries the fact that moves the session, and in brackets the condition under which it does; any other fact
is refused in that state. *owes* names the work that the runtime takes up whenever it finds a session there.

\`\`\`mermaid
${mermaid(machine)}
\`\`\`

${stateTable(machine)}
`

/** The machine as data, for whoever draws it otherwise. */
export interface Chart {
  /** The states that a session can stand in, in the machine's order. */
  readonly states: readonly {
    /** `queued`, `failed.owed` */
    readonly name: string
    readonly owes: string | null
    /** No fact leads out of it. */
    readonly final: boolean
  }[]
  /** Where one begins. */
  readonly initial: string
  readonly moves: readonly {
    readonly from: string
    readonly to: string
    readonly fact: string
    /** The condition under which the fact moves, by its name. */
    readonly guard: string | null
  }[]
}

export const chartOf = (machine: AnyStateMachine): Chart => ({
  states: leavesOf(machine.root).map((leaf) => ({
    name: pathOf(leaf),
    owes: owedBy(leaf),
    final: leaf.type === 'final',
  })),
  initial: pathOf(initialLeaf(machine.root)),
  moves: arrowsOf(machine.root).map(({ from, to, fact, guard }) => ({
    from: pathOf(from),
    to: pathOf(initialLeaf(to)),
    fact,
    guard,
  })),
})

/** The machine as a Mermaid `stateDiagram-v2`. */
export const mermaid = (machine: AnyStateMachine): string =>
  ['stateDiagram-v2', ...inside(machine.root), ...arrowsOf(machine.root).map(arrowLine)].join('\n')

/** One row per state: what it owes, and which facts lead where. */
const stateTable = (machine: AnyStateMachine): string => {
  const rows = leavesOf(machine.root).map((leaf) => {
    const moves = arrowsOf(leaf).map((arrow) => `\`${labelOf(arrow)}\` → ${pathOf(initialLeaf(arrow.to))}`)
    return `| ${pathOf(leaf)} | ${owedBy(leaf) ?? '-'} | ${moves.join('<br>') || 'closed'} |`
  })
  return ['| state | owes | facts that it accepts |', '|---|---|---|', ...rows].join('\n')
}

/** What stands inside a state's braces: where it begins, its states, and where it ends. */
const inside = (node: AnyStateNode): string[] => {
  const first = node.initial.target?.[0]
  return [
    ...(first === undefined ? [] : [`[*] --> ${idOf(first)}`]),
    ...childrenOf(node).flatMap((child) => [
      ...described(child),
      ...(child.type === 'final' ? [`${idOf(child)} --> [*]`] : []),
    ]),
  ].map((line) => `  ${line}`)
}

const described = (node: AnyStateNode): string[] => {
  const owed = owedBy(node)
  const label = owed === null ? node.key : `${node.key}<br>owes ${owed}`
  const opening = `state "${label}" as ${idOf(node)}`
  return childrenOf(node).length === 0 ? [opening] : [`${opening} {`, ...inside(node), '}']
}

const arrowsOf = (node: AnyStateNode): Arrow[] => [
  ...[...node.transitions].flatMap(([fact, transitions]) =>
    transitions.map(({ guard, target }) => ({
      from: node,
      to: target?.[0] ?? node,
      fact,
      guard: guard === undefined ? null : guardName(guard),
    })),
  ),
  ...childrenOf(node).flatMap(arrowsOf),
]

const arrowLine = (arrow: Arrow): string => `  ${idOf(arrow.from)} --> ${idOf(arrow.to)} : ${labelOf(arrow)}`

/** The fact, with its guard's name in brackets. */
const labelOf = ({ fact, guard }: Arrow): string => (guard === null ? fact : `${fact} [${guard}]`)

const guardName = (guard: unknown): string =>
  typeof guard === 'object' && guard !== null ? (guard as { type: string }).type : String(guard)

const owedBy = (node: AnyStateNode): string | null => (node.meta as { owes?: string } | undefined)?.owes ?? null

const childrenOf = (node: AnyStateNode): AnyStateNode[] => Object.values(node.states)

/** Mermaid takes letters, digits and underscores. */
const idOf = (node: AnyStateNode): string => node.path.join('_')
