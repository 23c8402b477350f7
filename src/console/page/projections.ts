import type { Api } from './lib/api.ts'
import { ask } from './lib/dialog.ts'
import { type Child, h, replace } from './lib/dom.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { keepDrawn } from './lib/poll.ts'
import { sign } from './lib/sign.ts'
import { type Column, table } from './lib/table.ts'
import { duration, number } from './lib/time.ts'

interface Projection {
  readonly name: string
  readonly position: number
  readonly lag_facts: number
  readonly lag_seconds: number
  readonly set_aside: number
  readonly gone: number
  readonly rebuild: { readonly position: number; readonly target: number } | null
}

interface Projections {
  readonly head: number
  readonly items: readonly Projection[]
}

const POLL_MS = 1_000
/** A projection that is further behind than this does not follow as it should. */
const LATE_S = 30

/** The tables that people query: how far each is behind, and computing one anew. */
export const page: Page = {
  path: '/projections',
  title: 'Projections',
  nav: 'Projections',
  scope: 'operate',
  show: async (main, context) => {
    const outcome = new Outcome()
    const board = h('div', {})
    const rebuilds = new Rebuilds(outcome)
    const read = async () => {
      const projections = await statusOf(context.api)
      rebuilds.saw(projections.items)
      return projections
    }
    await keepDrawn({ everyMs: POLL_MS, signal: context.signal, read }, (projections, redraw) =>
      replace(
        board,
        drawn(projections, (name) => void askRebuild(name, context, rebuilds, redraw)),
      ),
    )
    main.append(pageHead('Projections'), outcome.element, board)
  },
}

const statusOf = (api: Api): Promise<Projections> => api.get('/v1/projections')

const drawn = ({ head, items }: Projections, rebuild: (name: string) => void): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('p', { class: 'faint' }, `The tables that people query, computed from the ${number(head)} facts of the archive.`),
    table({
      caption: 'Projections and how far they are behind',
      columns: columnsOf(rebuild),
      rows: items,
      empty: 'No projection has begun yet.',
    }),
  )

const columnsOf = (rebuild: (name: string) => void): readonly Column<Projection>[] => [
  { title: 'Projection', cell: ({ name }) => h('strong', {}, name) },
  { title: 'State', cell: stateOf },
  { title: 'Stands at fact', kind: 'number', cell: ({ position }) => number(position) },
  { title: 'Behind by facts', kind: 'number', cell: ({ lag_facts: facts }) => number(facts) },
  { title: 'Behind by time', kind: 'number', cell: ({ lag_seconds: seconds }) => duration(seconds * 1_000) },
  { title: 'Set aside', kind: 'number', cell: ({ set_aside: aside }) => number(aside) },
  { title: 'Rows gone', kind: 'number', cell: ({ gone }) => number(gone) },
  { title: 'Rebuild', cell: (one) => rebuildCell(one, rebuild) },
]

const stateOf = ({ lag_facts: facts, lag_seconds: seconds, set_aside: aside }: Projection): HTMLElement => {
  if (aside > 0) return sign('refused rows', 'bad')
  if (facts === 0) return sign('up to date', 'good')
  return seconds > LATE_S ? sign('lags', 'bad') : sign('follows', 'processing')
}

const rebuildCell = ({ name, rebuild: running }: Projection, rebuild: (name: string) => void): Child => {
  if (running === null)
    return h('button', { type: 'button', 'aria-label': `Rebuild ${name}`, onclick: () => rebuild(name) }, 'Rebuild …')
  const { position, target } = running
  const said = position < target ? `${number(position)} of ${number(target)} facts` : 'comparing rows'
  return [
    h('progress', { max: Math.max(1, target), value: position, 'aria-label': `Rebuild of ${name}` }),
    h('div', { class: 'faint' }, said),
  ]
}

/** Tells when a rebuild that was asked for here has ended: then its rows beside the live ones are gone. */
class Rebuilds {
  readonly #outcome: Outcome
  readonly #running = new Set<string>()

  constructor(outcome: Outcome) {
    this.#outcome = outcome
  }

  began(name: string): void {
    this.#running.add(name)
    this.#outcome.say(`${name} is computed anew, beside the live rows.`)
  }

  saw(items: readonly Projection[]): void {
    for (const { name, rebuild } of items) {
      if (rebuild !== null || !this.#running.delete(name)) continue
      this.#outcome.say(`${name} was computed anew. What differed is corrected, and told in the server's log.`)
    }
  }
}

const askRebuild = (
  name: string,
  { api }: PageContext,
  rebuilds: Rebuilds,
  redraw: () => Promise<void>,
): Promise<boolean> =>
  ask({
    title: `Rebuild ${name}?`,
    text: `All rows of ${name} are computed anew from the first fact, beside the live ones; then rows that differ are corrected in place. People can query all the while. It takes minutes for millions of facts.`,
    action: `Rebuild ${name}`,
    danger: true,
    work: async () => {
      await api.post(`/v1/projections/${encodeURIComponent(name)}/rebuild`)
      rebuilds.began(name)
      await redraw()
    },
  })
