import { type PageOf, withQuery } from './lib/api.ts'
import { byFields, saidBy } from './lib/by.ts'
import { csvLink } from './lib/csv-link.ts'
import { ask } from './lib/dialog.ts'
import { h } from './lib/dom.ts'
import { chosenOf, filters } from './lib/filters.ts'
import { Outcome } from './lib/outcome.ts'
import type { Page, PageContext } from './lib/page.ts'
import { pageHead } from './lib/page-head.ts'
import { type Column, pagedTable } from './lib/table.ts'
import { idText, orDash } from './lib/terms.ts'
import { ago, number } from './lib/time.ts'
import { refundLink, words } from './refunds-known.ts'

interface Orphan {
  readonly class: 'orphan_row' | 'orphan_charge' | 'orphan_object'
  readonly session_id: string | null
  readonly channel: string | null
  readonly owner_id: string | null
  readonly request_id: string | null
  readonly since: string
  readonly credits: number
  readonly settles: 'by itself' | 'by hand'
  readonly detail: string
}

const CLASSES = [
  ['', 'all'],
  ['orphan_row', 'rows without a task'],
  ['orphan_charge', 'charges without a row'],
  ['orphan_object', 'images without a session'],
] as const

/** What lost its other half. */
export const page: Page = {
  path: '/orphans',
  title: 'Orphans',
  nav: 'Orphans',
  scope: 'finance',
  show: async (main, context) => {
    const { api, query, go } = context
    const chosen = chosenOf(query, ['class'])
    const outcome = new Outcome()
    const list = await pagedTable<Orphan>(
      {
        caption: 'Orphans, the newest first',
        columns: columnsOf(context, outcome),
        empty: 'Nothing lost its other half.',
      },
      (cursor) => api.get<PageOf<Orphan>>('/v1/orphans', { ...chosen, cursor }),
    )
    main.append(
      pageHead('Orphans', csvLink('Download these as CSV', '/v1/orphans', chosen)),
      h(
        'section',
        { class: 'card' },
        h(
          'p',
          { class: 'faint' },
          'Session rows for which no task came, charges for which there is no row, images whose session did not complete.',
        ),
        filters('Which orphans', [{ name: 'class', label: 'Kind', value: chosen.class, options: CLASSES }], (values) =>
          go(withQuery('/orphans', values)),
        ),
        outcome.element,
        list,
      ),
    )
  },
}

const columnsOf = (context: PageContext, outcome: Outcome): readonly Column<Orphan>[] => [
  { title: 'Kind', cell: (orphan) => words(orphan.class) },
  { title: 'Session', cell: ({ session_id: id }) => idText(id) },
  { title: 'Channel', cell: ({ channel }) => orDash(channel) },
  { title: 'Store or user', cell: ({ owner_id: id }) => idText(id) },
  { title: 'Since', cell: ({ since }) => ago(since) },
  { title: 'Credits', kind: 'number', cell: ({ credits }) => number(credits) },
  { title: 'What happened', cell: ({ detail }) => detail },
  { title: 'Settles', cell: (orphan) => settleCell(orphan, context, outcome) },
]

const settleCell = ({ session_id: id, settles, ...orphan }: Orphan, context: PageContext, outcome: Outcome) => {
  if (orphan.class !== 'orphan_row' || id === null) return settles
  const done = () => outcome.say('Given up: its credit is given back. ', refundLink(id))
  return [
    settles,
    ' ',
    h(
      'button',
      { type: 'button', 'aria-label': `Give up ${id}`, onclick: () => void giveUp(id, context, done) },
      'Give up …',
    ),
  ]
}

const giveUp = (id: string, { api, me }: PageContext, done: () => void): Promise<boolean> =>
  ask({
    title: 'Give up this row?',
    text: `The session ${id} fails, and its credit is given back. A task that comes for it later changes nothing.`,
    fields: byFields(me),
    action: 'Give up',
    danger: true,
    work: async (values) => {
      await api.post(`/v1/orphans/${id}/settle`, saidBy(values))
      done()
    },
  })
