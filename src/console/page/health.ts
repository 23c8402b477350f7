import { ApiError } from './lib/api.ts'
import { h, replace } from './lib/dom.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { poll } from './lib/poll.ts'
import { sign } from './lib/sign.ts'
import { table } from './lib/table.ts'
import { terms } from './lib/terms.ts'
import { ago, number } from './lib/time.ts'

const EVERY_MS = 5_000

interface Health {
  readonly status: 'ok' | 'degraded'
  readonly checks: Readonly<Record<string, 'ok' | 'failing'>>
  readonly loops: readonly {
    readonly name: string
    readonly state: string
    readonly restarts: number
    readonly seen_seconds_ago: number
  }[]
  readonly pose: {
    readonly state: string
    readonly backend?: string
    readonly engines?: number
    readonly engines_ready?: number
    readonly waiting?: number
  }
  readonly partitions: {
    readonly of: number
    readonly held: number
    readonly running: number
    readonly damaged: readonly number[]
  }
}

/** What to do about each check that fails, in the words of /readyz. */
interface Ready {
  readonly status: string
  readonly draining: boolean
  readonly checks: Readonly<Record<string, string>>
}

interface Projections {
  readonly head: number
  readonly items: readonly { readonly name: string; readonly lag_facts: number; readonly set_aside: number }[]
}

/** Who follows the journals. */
interface Readers {
  readonly items: readonly {
    readonly name: string
    readonly behind_steps: number
    readonly waits_since: string | null
  }[]
}

export const page: Page = {
  path: '/health',
  title: 'Health',
  nav: 'Health',
  scope: 'operate',
  show: async (main, context) => {
    const status = h('span', { id: 'health-status', role: 'status' })
    const parts = h('div', {})
    const look = async () => {
      const [health, ready, projections, readers] = await read(context)
      replace(status, health.status === 'ok' ? sign('ok', 'good') : sign('degraded', 'bad'))
      replace(parts, partsOf(health, ready, projections), readersOf(readers))
    }
    await look()
    main.append(pageHead('Health', status, h('span', { class: 'faint end' }, 'this process, every 5 s')), parts)
    void poll(EVERY_MS, context.signal, look)
  },
}

const read = ({ api }: PageContext) =>
  Promise.all([
    api.get<Health>('/health'),
    readiness(api),
    api.get<Projections>('/v1/projections'),
    api.get<Readers>('/v1/journal-readers'),
  ])

/** A process that is not ready says so with 503, and what it says then is no problem of the API. */
const readiness = async (api: PageContext['api']): Promise<Ready | null> => {
  try {
    return await api.get<Ready>('/readyz')
  } catch (error) {
    if (error instanceof ApiError) return null
    throw error
  }
}

const partsOf = (health: Health, ready: Ready | null, { head, items }: Projections): HTMLElement[] => [
  h(
    'div',
    { class: 'columns' },
    card('Checks', checksOf(health, ready)),
    card('Partitions', partitionsOf(health)),
    card('Body estimates', poseOf(health)),
  ),
  card(
    'Loops',
    table({
      caption: 'Loops of this process',
      rows: health.loops,
      empty: 'This process runs no loop.',
      columns: [
        { title: 'Loop', cell: ({ name }) => h('code', {}, name) },
        { title: 'State', cell: ({ state }) => sign(state, state === 'running' ? 'good' : 'bad') },
        { title: 'Restarts', kind: 'number', cell: ({ restarts }) => number(restarts) },
        { title: 'Last turn', kind: 'number', cell: ({ seen_seconds_ago: seconds }) => `${number(seconds)} s ago` },
      ],
    }),
  ),
  card(
    'Projections',
    h('p', { class: 'faint' }, `The archive has ${number(head)} facts.`),
    table({
      caption: 'How far the tables are behind the archive',
      rows: items,
      columns: [
        { title: 'Projection', cell: ({ name }) => h('code', {}, name) },
        { title: 'Facts behind', kind: 'number', cell: ({ lag_facts: lag }) => number(lag) },
        { title: 'Set aside', kind: 'number', cell: ({ set_aside: aside }) => number(aside) },
      ],
    }),
  ),
]

const readersOf = ({ items }: Readers): HTMLElement =>
  card(
    'Readers of the journals',
    table({
      caption: 'Who follows the journals, and how far behind',
      rows: items,
      empty: 'Nobody but the archive itself.',
      columns: [
        { title: 'Reader', cell: ({ name }) => h('code', {}, name) },
        { title: 'Steps behind', kind: 'number', cell: ({ behind_steps: steps }) => number(steps) },
        { title: 'Waits since', kind: 'number', cell: ({ waits_since: since }) => ago(since) },
      ],
    }),
  )

const card = (title: string, ...children: readonly HTMLElement[]): HTMLElement =>
  h('section', { class: 'card', 'aria-label': title }, h('h2', {}, title), children)

const checksOf = ({ checks }: Health, ready: Ready | null): HTMLElement =>
  terms(
    Object.entries(checks).map(([name, state]) => [
      name,
      state === 'ok' ? sign('ok', 'good') : h('div', {}, sign('failing', 'bad'), h('p', {}, ready?.checks[name])),
    ]),
  )

const partitionsOf = ({ partitions: { of, held, running, damaged } }: Health): HTMLElement =>
  terms([
    ['Of the log', number(of)],
    ['Held here', number(held)],
    ['Running', number(running)],
    ['Damaged', damaged.length === 0 ? 'none' : sign(damaged.join(', '), 'bad')],
  ])

const poseOf = ({ pose }: Health): HTMLElement =>
  terms([
    ['Model', sign(pose.state, pose.state === 'ready' ? 'good' : pose.state === 'failed' ? 'bad' : 'queued')],
    ['Backend', pose.backend],
    ['Engines ready', pose.engines === undefined ? null : `${pose.engines_ready ?? 0} of ${pose.engines}`],
    ['Photos waiting', pose.waiting],
  ])
