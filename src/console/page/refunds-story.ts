import { h } from './lib/dom.ts'
import { table } from './lib/table.ts'
import { jsonBlock, orDash, terms } from './lib/terms.ts'
import { moment, number } from './lib/time.ts'
import { endOf, payerOf, type Refund, words } from './refunds-known.ts'

interface LedgerLine {
  readonly id: string
  readonly type: string
  readonly amount: number
  readonly account: string
  readonly description: string | null
  readonly created_at: string
}

interface Fact {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly data: object
}

/** What lies behind a refund, as `GET /v1/refunds/:id` has it. */
export interface Story {
  readonly refund: Refund | null
  readonly decision: {
    readonly kind: string
    readonly data: object
    readonly evidence: object | null
    readonly recorded_at: string | null
  } | null
  readonly ledger: readonly LedgerLine[]
  readonly facts: readonly Fact[]
}

/** The refund, what was decided on what, its credits, and the session's facts. */
export const storyParts = ({ refund, decision, ledger, facts }: Story): HTMLElement[] => [
  h('div', { class: 'columns' }, refundPart(refund), decisionPart(decision)),
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'Its credits'),
    table({
      caption: "Transactions of the platform's credit tables",
      columns: ledgerColumns,
      rows: ledger,
      empty: 'No transaction names this session.',
    }),
  ),
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'Its facts'),
    table({ caption: 'Facts of the session, in their order', columns: factColumns, rows: facts }),
  ),
]

const refundPart = (refund: Refund | null): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'What is owed'),
    refund === null ? h('p', { class: 'empty' }, 'Nothing is owed for this session.') : terms(refundTerms(refund)),
  )

const refundTerms = (refund: Refund): [string, Node | string | number | null | undefined][] => [
  ['Session', h('code', {}, refund.session_id)],
  ['Credits', refund.credits === null ? null : number(refund.credits)],
  ['Paid by', payerOf(refund)],
  ['Channel', refund.channel],
  ['Store or user', refund.owner_id && h('code', {}, refund.owner_id)],
  ['Request', refund.request_id],
  ['Owed since (UTC)', moment(refund.since)],
  ['Tries', number(refund.tries)],
  ['Last error', refund.last_error],
  ['What became of it', endOf(refund)],
  ['Ended (UTC)', moment(refund.settled_at)],
  ['Ledger record', refund.ledger_record && h('code', {}, refund.ledger_record)],
  ['Settled by', refund.settlement?.by],
  ['… because', refund.settlement?.why],
]

const decisionPart = (decision: Story['decision']): HTMLElement =>
  h(
    'section',
    { class: 'card' },
    h('h2', {}, 'What was decided'),
    decision === null
      ? h('p', { class: 'empty' }, 'Nothing yet.')
      : [
          terms([
            ['Decision', words(decision.kind)],
            ['Recorded (UTC)', moment(decision.recorded_at)],
          ]),
          jsonBlock(decision.data, 'The decision'),
          decision.evidence !== null && [
            h('h2', {}, 'On what'),
            jsonBlock(decision.evidence, 'What it was decided on'),
          ],
        ],
  )

const signed = (amount: number): string => (amount > 0 ? `+${number(amount)}` : number(amount))

const ledgerColumns = [
  { title: 'Time (UTC)', cell: ({ created_at: at }: LedgerLine) => moment(at) },
  { title: 'Kind', cell: ({ type }: LedgerLine) => words(type) },
  { title: 'Credits', kind: 'number', cell: ({ amount }: LedgerLine) => signed(amount) },
  { title: 'Account', cell: ({ account }: LedgerLine) => h('code', {}, account) },
  { title: 'Description', cell: ({ description }: LedgerLine) => orDash(description) },
  { title: 'Id', cell: ({ id }: LedgerLine) => h('code', {}, id) },
] as const

const factColumns = [
  { title: '#', kind: 'number', cell: ({ seq }: Fact) => seq },
  { title: 'Time (UTC)', cell: ({ at }: Fact) => moment(at) },
  { title: 'Fact', cell: ({ type }: Fact) => type },
  {
    title: 'What it says',
    cell: ({ data, type }: Fact) =>
      Object.keys(data).length === 0
        ? orDash(null)
        : h('details', {}, h('summary', {}, 'show'), jsonBlock(data, `What ${type} says`)),
  },
] as const
