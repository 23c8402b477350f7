import { drawChart } from './chart.ts'
import type { Machine } from './chart-layout.ts'
import { announce } from './lib/announce.ts'
import type { PageOf } from './lib/api.ts'
import { withQuery } from './lib/api.ts'
import { h, replace } from './lib/dom.ts'
import { chosenOf, filters } from './lib/filters.ts'
import { keepFresh, Waker } from './lib/fresh.ts'
import { follow, sayState } from './lib/live.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { linkTo } from './lib/router.ts'
import { type Column, pagedTable } from './lib/table.ts'
import { ago, duration, number } from './lib/time.ts'
import { dollars, type Session, STATES, sessionLink, stateSign } from './sessions-known.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const FILTERS = ['state', 'channel', 'owner'] as const

/** Rows of one page of the list. */
const PAGE = 50

type Chosen = Readonly<Record<(typeof FILTERS)[number], string | null>>

/** What /v1/census/events tells: how many sessions stand where, and which facts moved some since it last told. */
interface Census {
  readonly states: Readonly<Record<string, number>>
  readonly moved: Readonly<Record<string, number>>
}

export const page: Page = {
  path: '/sessions',
  title: 'Sessions',
  nav: 'Sessions',
  scope: 'read',
  show: async (main, context) => {
    const { api, query, me } = context
    const chosen = chosenOf(query, FILTERS)
    const list = h('div', { id: 'list' })
    const total = h('span', { class: 'faint', id: 'total' })
    const live = h('span', { class: 'live end', id: 'live' })
    const machine = await api.get<Machine>('/v1/machine')
    const chart = drawChart(machine, {
      label: 'The session machine with the sessions in each state; a state shows its own in the list',
      linkOf: (name) => {
        const state = STATES.find((one) => one === name.split('.')[0])
        return state === undefined ? null : linkTo(withQuery('/sessions', { ...chosen, state }))
      },
    })
    const read = () => showList(list, chosen, context)
    await read()
    main.append(
      pageHead('Sessions', total, live),
      h('section', { class: 'card', 'aria-label': 'Live' }, chart.element),
      h('section', { class: 'card', 'aria-label': 'List' }, searchAndFilters(chosen, context), list),
    )
    // A key of one store sees its own list, and not what the service as a whole does.
    if (me.tenant !== null) return
    const moved = new Waker()
    const tell = ({ states, moved: facts }: Census) => {
      chart.count(states)
      chart.pulse(Object.keys(facts))
      total.textContent = `${number(Object.values(states).reduce((sum, one) => sum + one, 0))} in all`
      announce(spoken(states))
      moved.wake()
    }
    follow('/v1/census/events', {
      signal: context.signal,
      onState: (state) => sayState(live, state),
      onEvent: (data) => tell(data as Census),
    })
    void keepFresh(list, moved, { signal: context.signal, rowsMax: PAGE, read })
  },
}

const spoken = (states: Census['states']): string =>
  Object.entries(states)
    .map(([state, count]) => `${count} ${state.replace('.', ' ')}`)
    .join(', ')

const showList = async (list: HTMLElement, chosen: Chosen, { api }: PageContext): Promise<void> => {
  const query = { state: chosen.state, channel: chosen.channel, tenant: tenantOf(chosen) }
  const read = (cursor: string | null) => api.get<PageOf<Session>>('/v1/generations', { ...query, cursor, limit: PAGE })
  replace(list, await pagedTable({ caption: 'Sessions, the newest first', columns, empty: emptyText(chosen) }, read))
}

const emptyText = (chosen: Chosen): string =>
  Object.values(chosen).every((value) => value === null)
    ? 'No session yet. This runs one that is made up: npm run wearon -- publish --charge'
    : 'No such session.'

/** `store:<id>` or `user:<id>`; a bare id is a store's unless the channel says otherwise. */
const tenantOf = ({ owner, channel }: Chosen): string | null => {
  if (owner === null || owner === '' || owner.includes(':')) return owner
  return channel === 'b2c' ? `user:${owner}` : `store:${owner}`
}

const searchAndFilters = (chosen: Chosen, { go }: PageContext): HTMLElement =>
  filters(
    'Find sessions',
    [
      { name: 'session', label: 'Session id', value: null, kind: 'wide' },
      {
        name: 'state',
        label: 'State',
        value: chosen.state,
        options: [['', 'any'], ...STATES.map((one) => [one, one] as const)],
      },
      {
        name: 'channel',
        label: 'Channel',
        value: chosen.channel,
        options: [
          ['', 'both'],
          ['b2b', 'b2b · stores'],
          ['b2c', 'b2c · users'],
        ],
      },
      { name: 'owner', label: 'Store, or user:id', value: chosen.owner, kind: 'wide' },
    ],
    ({ session, ...rest }) => {
      if (session !== undefined && UUID.test(session)) go(`/sessions/${session.toLowerCase()}`)
      else if (session !== undefined) go(`/sessions/${encodeURIComponent(session)}`)
      else go(withQuery('/sessions', rest))
    },
  )

const columns: readonly Column<Session>[] = [
  { title: 'Session', cell: ({ session_id: id }) => sessionLink(id) },
  { title: 'State', cell: ({ state }) => stateSign(state) },
  { title: 'Channel', cell: ({ channel }) => channel },
  {
    title: 'Owner',
    cell: ({ tenant }) => h('span', { class: 'code faint short', title: tenant }, tenant?.split(':')[1]),
  },
  { title: 'Why', cell: ({ failure_code: code }) => code?.replaceAll('_', ' ') },
  { title: 'Tries', kind: 'number', cell: ({ attempts }) => attempts },
  { title: 'Took', kind: 'number', cell: ({ processing_time_ms: ms }) => (ms === null ? '–' : duration(ms)) },
  { title: 'Cost', kind: 'number', cell: ({ cost_usd: usd }) => dollars(usd) },
  { title: 'Requested', kind: 'number', cell: ({ created_at: at }) => ago(at) },
]
