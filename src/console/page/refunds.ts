import type { PageOf } from './lib/api.ts'
import { withQuery } from './lib/api.ts'
import { csvLink } from './lib/csv-link.ts'
import { h } from './lib/dom.ts'
import { chosenOf, type Filter, filters } from './lib/filters.ts'
import type { Page } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { type Column, pagedTable } from './lib/table.ts'
import { orDash } from './lib/terms.ts'
import { ago, number } from './lib/time.ts'
import { endOf, payerText, REFUND_STATES, type Refund, refundLink, stateOf } from './refunds-known.ts'

const NAMES = ['state', 'channel', 'owner', 'payer', 'since', 'until', 'age'] as const
type Chosen = Readonly<Record<(typeof NAMES)[number], string | null>>

const columns: readonly Column<Refund>[] = [
  { title: 'Session', cell: ({ session_id: id }) => refundLink(id) },
  { title: 'State', cell: stateOf },
  { title: 'Owed since', cell: ({ since }) => ago(since) },
  { title: 'Credits', kind: 'number', cell: ({ credits }) => (credits === null ? orDash(null) : number(credits)) },
  { title: 'Channel', cell: ({ channel }) => orDash(channel) },
  { title: 'Paid by', cell: payerText },
  { title: 'Tries', kind: 'number', cell: ({ tries }) => number(tries) },
  { title: 'What became of it', cell: (refund) => orDash(endOf(refund) ?? refund.last_error) },
]

/** Who is owed what, and who got it back. */
export const page: Page = {
  path: '/refunds',
  title: 'Refunds',
  nav: 'Refunds',
  scope: 'finance',
  show: async (main, { api, query, go }) => {
    const chosen = chosenOf(query, NAMES)
    const list = await pagedTable<Refund>(
      { caption: 'Refunds, the newest first', columns, empty: 'No refund is like this.' },
      (cursor) => api.get<PageOf<Refund>>('/v1/refunds', { ...chosen, cursor }),
    )
    main.append(
      pageHead('Refunds', csvLink('Download these as CSV', '/v1/refunds', chosen)),
      h(
        'section',
        { class: 'card' },
        filters('Which refunds', fieldsOf(chosen), (values) => go(withQuery('/refunds', values))),
        list,
      ),
    )
  },
}

const fieldsOf = (chosen: Chosen): readonly Filter[] => {
  const of = (name: keyof Chosen) => ({ name, value: chosen[name] })
  const states = REFUND_STATES.map((state) => [state, state] as const)
  return [
    { ...of('state'), label: 'State', options: [['', 'any'], ...states] },
    {
      ...of('age'),
      label: 'Owed for',
      options: [
        ['', 'any time'],
        ['1h', 'an hour or longer'],
        ['24h', 'a day or longer'],
        ['7d', 'a week or longer'],
      ],
    },
    {
      ...of('channel'),
      label: 'Channel',
      options: [
        ['', 'both'],
        ['b2b', 'b2b (stores)'],
        ['b2c', 'b2c (users)'],
      ],
    },
    { ...of('since'), label: 'Since (UTC day)', kind: 'date' },
    { ...of('until'), label: '… before (UTC day)', kind: 'date' },
    { ...of('owner'), label: 'Store or user (id)' },
    { ...of('payer'), label: 'Paid by (id or e-mail)' },
  ]
}
