import { type Letter, letterLink, replay, stateOf } from './dead-letters-known.ts'
import { type Api, ApiError, type PageOf } from './lib/api.ts'
import { byFields, saidBy } from './lib/by.ts'
import { ask } from './lib/dialog.ts'
import { h, replace } from './lib/dom.ts'
import { filters } from './lib/filters.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { type Column, pagedTable } from './lib/table.ts'
import { ago, number } from './lib/time.ts'

const STATES = [
  ['waiting', 'waiting'],
  ['replayed', 'replayed'],
  ['discarded', 'discarded'],
  ['all', 'all'],
] as const

const columns: readonly Column<Letter>[] = [
  { title: 'Reason of the last death', cell: (letter) => letterLink(letter, letter.reason) },
  { title: 'State', cell: stateOf },
  { title: 'Came by', cell: ({ source }) => source },
  { title: 'Partition', kind: 'number', cell: ({ partition }) => partition },
  { title: 'Bytes', kind: 'number', cell: ({ size_bytes: bytes }) => number(bytes) },
  { title: 'Deaths', kind: 'number', cell: ({ attempts }) => number(attempts) },
  { title: 'Replays', kind: 'number', cell: ({ replays }) => number(replays) },
  { title: 'First died', cell: ({ first_seen_at: at }) => ago(at) },
  { title: 'Last died', cell: ({ last_seen_at: at }) => ago(at) },
]

/** Messages that nobody could work on, and what operators do with them. */
export const page: Page = {
  path: '/dead-letters',
  title: 'Dead letters',
  nav: 'Dead letters',
  scope: 'operate',
  show: async (main, context) => {
    const { query, go } = context
    const state = query.get('state') ?? 'waiting'
    const outcome = new Outcome()
    const list = h('div', {}, await tableOf(state, context))
    const all = h(
      'button',
      { type: 'button', onclick: () => void replayAll(context, outcome, redraw) },
      'Replay all that wait',
    )
    const redraw = async () => replace(list, await tableOf(state, context))
    main.append(
      pageHead('Dead letters', h('div', { class: 'end' }, all)),
      h(
        'section',
        { class: 'card' },
        h(
          'p',
          { class: 'faint' },
          'Messages that nobody could work on. They stop nobody, and are kept until somebody decides.',
        ),
        filters('Which letters', [{ name: 'state', label: 'State', value: state, options: STATES }], (values) =>
          go(`/dead-letters?state=${values['state'] ?? 'waiting'}`),
        ),
        outcome.element,
        list,
      ),
    )
  },
}

const tableOf = (state: string, { api }: PageContext): Promise<HTMLElement> =>
  pagedTable({ caption: `Dead letters: ${state}`, columns, empty: 'No dead letters.' }, (cursor) =>
    listed(api, { state: state === 'all' ? null : state, cursor }),
  )

const listed = (
  api: Api,
  query: { state: string | null; cursor: string | null; limit?: number },
): Promise<PageOf<Letter>> => api.get('/v1/dead-letters', query)

/** Letters that one press replays; a producer that sends garbage has thousands, and somebody should look first. */
const REPLAYS_MAX = 1_000

const replayAll = async (context: PageContext, outcome: Outcome, redraw: () => Promise<void>): Promise<void> => {
  const { api, me } = context
  await ask({
    title: 'Replay all letters that wait?',
    text: `Each is handed to the worker once more, ${number(REPLAYS_MAX)} at most. One that dies again waits again; nothing happens twice to a session that is known.`,
    fields: byFields(me),
    action: 'Replay all',
    work: async (values) => {
      const by = saidBy(values)
      void replayEach(context, await waiting(api), by, outcome).then(redraw)
    },
  })
}

const waiting = async (api: Api): Promise<Letter[]> => {
  const letters: Letter[] = []
  for (let cursor: string | null = null; letters.length < REPLAYS_MAX; ) {
    const { items, next } = await listed(api, { state: 'waiting', cursor, limit: 200 })
    letters.push(...items)
    cursor = next
    if (cursor === null) break
  }
  return letters.slice(0, REPLAYS_MAX)
}

const replayEach = async (
  { api, signal }: PageContext,
  letters: readonly Letter[],
  by: { readonly by?: string },
  outcome: Outcome,
): Promise<void> => {
  const refused = new Map<string, number>()
  const bar = h('progress', { max: Math.max(1, letters.length), value: 0, 'aria-label': 'Letters that were replayed' })
  outcome.say('Replaying … ', bar)
  for (const [index, { id }] of letters.entries()) {
    if (signal.aborted) return
    const code = await replay(api, id, by).then(() => null, codeOf)
    if (code !== null) refused.set(code, (refused.get(code) ?? 0) + 1)
    bar.value = index + 1
  }
  outcome.say(summaryOf(letters.length, refused))
}

const codeOf = (error: unknown): string => (error instanceof ApiError ? error.problem.code : String(error))

const summaryOf = (asked: number, refused: ReadonlyMap<string, number>): string => {
  const failed = refused.values().reduce((sum, each) => sum + each, 0)
  const why = [...refused].map(([code, times]) => `${number(times)} × ${code.replaceAll('_', ' ')}`).join(', ')
  return `${number(asked - failed)} replayed${failed === 0 ? '' : `, ${number(failed)} refused: ${why}`}.`
}
