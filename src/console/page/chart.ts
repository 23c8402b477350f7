import { type Arrow, layoutOf, type Machine } from './chart-layout.ts'
import { BOX, type Box } from './chart-paths.ts'
import { h, s } from './lib/dom.ts'
import { number } from './lib/time.ts'

/** How long an arrow stays lit after a fact moved somebody along it, ms. */
const LIT_MS = 900

/** What a chart shows besides the machine itself. */
export interface DrawnChart {
  readonly element: HTMLElement
  /** How many sessions stand in each state. */
  readonly count: (states: Readonly<Record<string, number>>) => void
  /** Lights the arrows of facts that just happened. */
  readonly pulse: (facts: Iterable<string>) => void
  /** Lights one state, those that came before it, and the arrow that led there. */
  readonly light: (state: string, before: readonly string[], fact: string | null) => void
}

interface Options {
  /** What a screen reader reads instead of the drawing. */
  readonly label: string
  /** Where a state leads when one clicks on it; null: nowhere. */
  /** Without counts. */
  readonly bare?: boolean
  readonly linkOf?: (state: string) => string | null
}

/** Draws the machine; its states keep their place, and only what they show changes. */
export const drawChart = (machine: Machine, { label, bare = false, linkOf }: Options): DrawnChart => {
  const layout = layoutOf(machine)
  const counts = new Map<string, SVGTextElement>()
  const arrows = layout.arrows.map((arrow) => ({ arrow, line: lineOf(arrow) }))
  const states = new Map(
    layout.boxes.map((box) => {
      const owes = machine.states.find(({ name }) => name === box.name)?.owes ?? null
      // Nobody stands where all begin.
      const count = bare || box.name === machine.initial ? null : middled('count', 42, '')
      if (count !== null) counts.set(box.name, count)
      return [box.name, stateOf(box, { owes, count, link: linkOf?.(box.name) ?? null })] as const
    }),
  )
  const svg = s(
    'svg',
    {
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: linkOf === undefined ? 'img' : 'group',
      'aria-label': label,
    },
    s('defs', {}, tip('tip'), tip('tip-lit')),
    layout.groups.map(({ name, ...frame }) => [
      s('rect', { class: 'group', rx: 12, ...frame }),
      s('text', { class: 'group-name', x: frame.x + 12, y: frame.y + 18 }, name),
    ]),
    arrows.map(({ line }) => line),
    [...states.values()],
  )
  return {
    element: h('div', { class: 'chart scroll', tabindex: 0, role: 'region', 'aria-label': label }, svg),
    count: (found) => {
      for (const [name, text] of counts) text.textContent = number(found[name] ?? 0)
      for (const [name, group] of states) group.classList.toggle('none', (found[name] ?? 0) === 0)
    },
    pulse: (facts) => {
      const happened = new Set(facts)
      for (const { arrow, line } of arrows) if (arrow.facts.some((fact) => happened.has(fact))) pulse(line)
    },
    light: (state, before, fact) => {
      for (const [name, group] of states) {
        group.classList.toggle('lit', name === state)
        group.classList.toggle('passed', name !== state && before.includes(name))
        group.classList.toggle('none', name !== state && !before.includes(name))
      }
      const from = before.at(-1) ?? machine.initial
      for (const { arrow, line } of arrows) {
        line.classList.toggle(
          'lit',
          fact !== null && arrow.to === state && arrow.from === from && arrow.facts.includes(fact),
        )
      }
    },
  }
}

const pulse = (line: SVGElement): void => {
  line.classList.add('lit')
  setTimeout(() => line.classList.remove('lit'), LIT_MS)
}

const lineOf = ({ from, to, facts, path }: Arrow): SVGElement =>
  s('path', { class: 'arrow', d: path }, s('title', {}, `${from} → ${to}: ${facts.join(', ')}`))

interface Shown {
  readonly owes: string | null
  readonly count: SVGElement | null
  readonly link: string | null
}

const stateOf = (box: Box, { owes, count, link }: Shown): SVGElement => {
  const [tone = '', ...inner] = box.name.split('.')
  const children = [
    s('rect', { ...BOX, rx: 10 }),
    s('rect', { class: 'mark', width: 4, height: BOX.height - 20, x: 0, y: 10, rx: 2 }),
    middled('name', count === null ? 35 : 19, inner.join('.') || tone),
    count,
    owes !== null && middled('owes', count === null ? 51 : 56, `owes a ${owes}`),
    s('title', {}, owes === null ? box.name : `${box.name}: owes a ${owes}`),
  ]
  const props = { class: 'state', 'data-state': box.name, 'data-tone': tone, transform: `translate(${box.x} ${box.y})` }
  return link === null ? s('g', props, children) : s('a', { ...props, href: link }, children)
}

const middled = (name: string, y: number, text: string): SVGTextElement =>
  s('text', { class: name, x: BOX.width / 2, y, 'text-anchor': 'middle' }, text)

const tip = (id: string): SVGElement =>
  s(
    'marker',
    {
      id,
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 9,
      markerHeight: 9,
      markerUnits: 'userSpaceOnUse',
      orient: 'auto-start-reverse',
    },
    s('path', { d: 'M0 0L8 4L0 8z' }),
  )
