import { shareBar } from './lib/bar.ts'
import { type Child, h } from './lib/dom.ts'
import { sign } from './lib/sign.ts'
import { table } from './lib/table.ts'
import { terms } from './lib/terms.ts'
import { duration, moment, number } from './lib/time.ts'
import type { Books } from './reconciliation-known.ts'

/** Whether the books balance, and where the credits are. */
export const balancePart = (books: Books): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('div', { class: 'head' }, h('h2', {}, 'Do they balance?'), verdictOf(books)),
    h(
      'div',
      { class: 'sums', role: 'group', 'aria-label': 'Credits: charged = kept + given back + owed + open' },
      figure('charged', books.charged, null),
      h('span', { class: 'faint' }, '='),
      parts(books).flatMap(({ name, value, tone }, index) => [
        index > 0 && h('span', { class: 'faint' }, '+'),
        figure(name, value, tone),
      ]),
    ),
    shareBar(parts(books), books.charged),
    terms([
      ['Sessions', number(books.sessions)],
      ['Drift', `${credits(books.drift)} not where the facts say`],
      ['As of (UTC)', moment(books.as_of)],
      ['Read', `${number(books.position)} facts, ${number(books.ledger_lines)} transactions`],
      ['Checksum', h('code', {}, books.checksum)],
    ]),
  )

const verdictOf = ({ balanced, drift }: Books): HTMLElement =>
  balanced ? sign('The books balance', 'good') : sign(`The books do not balance: ${credits(drift)} astray`, 'bad')

const parts = ({ kept, given_back: givenBack, owed, open }: Books) =>
  [
    { name: 'kept', value: kept, tone: 'good' },
    { name: 'given back', value: givenBack, tone: 'refunded' },
    { name: 'owed', value: owed, tone: 'warn' },
    { name: 'open', value: open, tone: 'queued' },
  ] as const

const figure = (name: string, value: number, tone: string | null): HTMLElement =>
  h(
    'span',
    { class: 'sum' },
    h('strong', {}, number(value)),
    h('span', { class: tone === null ? 'faint' : 'sign', 'data-tone': tone }, name),
  )

const credits = (value: number): string => `${number(value)} ${value === 1 ? 'credit' : 'credits'}`

const AGES: readonly (readonly [name: string, text: string])[] = [
  ['under_1h', 'under an hour'],
  ['under_24h', 'an hour to a day'],
  ['under_7d', 'a day to a week'],
  ['older', 'a week or longer'],
]

/** What is owed, by how long. */
export const agesPart = ({ ages, escalated, oldest_owed_seconds: oldest }: Books): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'Owed for how long'),
    table({
      caption: 'What is owed, by age',
      columns: [
        { title: 'Age', cell: ([, text]: (typeof AGES)[number]) => text },
        { title: 'Sessions', kind: 'number', cell: ([name]) => number(ages[name]?.sessions ?? 0) },
        { title: 'Credits', kind: 'number', cell: ([name]) => number(ages[name]?.credits ?? 0) },
      ],
      rows: AGES,
    }),
    terms([
      ['The oldest', oldest === null ? null : `${duration(oldest * 1_000)} old`],
      ['Escalated', number(escalated)],
    ]),
  )

/** The same by who sold it. */
export const channelsPart = ({ channels }: Books): HTMLElement => {
  const rows = Object.entries(channels)
  type Row = (typeof rows)[number]
  const column = (title: string, of: (total: Row[1]) => number) =>
    ({ title, kind: 'number', cell: ([, total]: Row): Child => number(of(total)) }) as const
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, 'By channel'),
    table({
      caption: 'Sessions and credits by channel',
      columns: [
        { title: 'Channel', cell: ([name]: Row) => name },
        column('Sessions', ({ sessions }) => sessions),
        column('Charged', ({ charged }) => charged),
        column('Given back', ({ given_back: givenBack }) => givenBack),
        column('Drift', ({ drift }) => drift),
      ],
      rows,
      empty: 'No sessions.',
    }),
  )
}
