import { createHash } from 'node:crypto'
import { isoTime } from '../../events/text.ts'
import { ageOf, type BookClass, bucketOf, EXCEPTIONS, IMBALANCES } from '../../projections/books.ts'
import type { Page } from '../../projections/page.ts'
import type {
  BookLine,
  BookScope,
  Books,
  BookTotal,
  ChannelTotal,
  ReconciliationSummary,
  RefundStory,
} from '../../projections/reconciliation.ts'
import { refundView } from '../../projections/views.ts'
import { type Cursor, decodeCursor, encodeCursor } from '../shared/cursor.ts'
import type { Line, Scope } from './book-lines.ts'
import { claimed, sessionNamedIn } from './given-back.ts'
import { otherLines } from './other-lines.ts'
import { newestFirst } from './paging.ts'
import { sessionLines } from './session-lines.ts'
import type { StoreState } from './store-state.ts'
import { uuidOf } from './uuid-of.ts'

/** The books, as the SQL functions `wearon_reconciliation`, `wearon_exceptions`, `wearon_totals` and the others keep them. */
export const memoryBooks = (state: StoreState, now: () => number): Books => {
  const at = ({ asOf, ...scope }: BookScope): Scope => ({ ...scope, asOfMs: asOf ? Date.parse(asOf) : now() })
  return {
    reconciliation: async (scope = {}) => summaryOf(state, at(scope)),
    bookLines: async ({ class: name, cursor, limit, ...scope }) => {
      const all = [...sessionLines(state, at(scope)), ...otherLines(state, at(scope))]
      const wanted = all.filter((line) => (name ? line.class === name : EXCEPTIONS.includes(line.class)))
      const page = newestFirst(
        wanted.map((row) => ({ row, place: { time: row.place, id: idOf(row) } })),
        cursor,
        limit,
      )
      return { ...page, items: page.items.map(bookLine) }
    },
    bookTotals: async ({ cursor, limit, ...scope }) =>
      totalsPage(totalsOf(sessionLines(state, at(scope))), cursor, limit),
    reconcile: async (everyMs) => {
      const last = state.runs.at(-1)
      if (last && Date.parse(last.asOf) >= now() - everyMs) return last
      const run = { id: uuidOf(`run:${state.runs.length}`), ...summaryOf(state, at({})) }
      state.runs.push(run)
      return run
    },
    reconciliationRuns: async ({ cursor, limit }) =>
      newestFirst(
        state.runs.map((row) => ({ row, place: { time: row.asOf, id: row.id } })),
        cursor,
        limit,
      ),
    refundStory: async (session) => storyOf(state, session),
  }
}

const summaryOf = (state: StoreState, scope: Scope): ReconciliationSummary => {
  const [lines, others] = [sessionLines(state, scope), otherLines(state, scope)]
  const all = [...lines, ...others]
  const classes = countBy(all, (line) => line.class)
  const owed = lines.filter((line) => line.class === 'owed' || line.class === 'overdue')
  const sums = sumsOf(lines)
  const adds = sums.charged === sums.kept + sums.givenBack + sums.owed + sums.open
  const oldest = Math.min(...owed.map(({ since }) => Date.parse(since)))
  return {
    asOf: isoTime(scope.asOfMs),
    position: state.projections.get('refunds')?.position ?? 0,
    ledgerLines: [...state.ledger.transactions.values()]
      .flat()
      .filter(({ createdAt }) => Date.parse(createdAt) <= scope.asOfMs).length,
    checksum: checksumOf(lines, others),
    ...sums,
    drift: total(all, ({ drift }) => drift),
    escalated: lines.filter(({ books }) => books?.refund === 'escalated').length,
    oldestOwedSeconds: owed.length === 0 ? null : Math.floor((scope.asOfMs - oldest) / 1_000),
    classes,
    ages: Object.fromEntries(
      [...Map.groupBy(owed, ({ since }) => ageOf(scope.asOfMs - Date.parse(since)))].map(([age, of]) => [
        age,
        { sessions: of.length, credits: total(of, remainderOf) },
      ]),
    ),
    channels: Object.fromEntries(
      [...Map.groupBy(lines, ({ channel }) => channel ?? 'unknown')].map(([channel, of]) => [
        channel,
        channelTotal(of),
      ]),
    ),
    balanced: adds && IMBALANCES.every((name) => classes[name] === undefined),
  }
}

const remainderOf = ({ charged, givenBack }: Line): number => Math.max(charged - givenBack, 0)

const sumsOf = (lines: readonly Line[]) => {
  const rest = (bucket: string) =>
    total(
      lines.filter(({ books }) => books !== null && bucketOf(books) === bucket),
      remainderOf,
    )
  return {
    sessions: lines.length,
    charged: total(lines, ({ charged }) => charged),
    kept: rest('kept'),
    givenBack: total(lines, ({ givenBack }) => givenBack),
    owed: rest('owed'),
    open: rest('open'),
  }
}

const channelTotal = (lines: readonly Line[]): ChannelTotal => ({
  sessions: lines.length,
  charged: total(lines, ({ charged }) => charged),
  givenBack: total(lines, ({ givenBack }) => givenBack),
  drift: total(lines, ({ drift }) => drift),
})

const total = (lines: readonly Line[], of: (line: Line) => number): number =>
  lines.reduce((sum, line) => sum + of(line), 0)

const countBy = (lines: readonly Line[], of: (line: Line) => BookClass): Partial<Record<BookClass, number>> =>
  Object.fromEntries([...Map.groupBy(lines, of)].map(([name, group]) => [name, group.length]))

/** The sum over all lines names the whole, in whatever order they come. */
const checksumOf = (lines: readonly Line[], others: readonly Line[]): string => {
  const ofSession = (one: Line) => [one.key, one.class, one.charged, one.books?.refunds, one.givenBack].join('|')
  const ofOther = (one: Line) => [one.kind, one.key, one.class, one.charged, one.givenBack, one.drift].join('|')
  const sum = [...lines.map(ofSession), ...others.map(ofOther)].reduce(
    (hash, line) => hash + BigInt(`0x${md5(line).slice(0, 15)}`),
    0n,
  )
  return md5(`${sum}`)
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

const idOf = ({ kind, key }: Line): string => (kind === 'session' ? key : uuidOf(`${kind}:${key}`))

const bookLine = (line: Line): BookLine => ({
  class: line.class,
  kind: line.kind,
  sessionId: line.sessionId,
  channel: line.channel,
  ownerId: line.ownerId,
  email: line.email,
  ledgerRecord: line.ledgerRecord,
  since: line.since,
  charged: line.charged,
  givenBack: line.givenBack,
  drift: line.drift,
  detail: line.detail,
})

const NOBODY = '00000000-0000-0000-0000-000000000000'

const totalsOf = (lines: readonly Line[]): { place: Cursor; total: BookTotal }[] => {
  const groups = Map.groupBy(lines, ({ requestedAt, ownerId }) => `${requestedAt.slice(0, 10)}|${ownerId ?? NOBODY}`)
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, of]) => {
      const [day = '', owner = ''] = key.split('|')
      const ownerId = owner === NOBODY ? null : owner
      const channel = of[0]?.channel ?? null
      const drift = total(of, (line) => line.drift)
      const classes = countBy(of, (line) => line.class)
      return { place: { time: day, id: owner }, total: { day, channel, ownerId, ...sumsOf(of), drift, classes } }
    })
}

const totalsPage = (
  all: readonly { place: Cursor; total: BookTotal }[],
  cursor: string | undefined,
  limit: number,
): Page<BookTotal> => {
  const after = decodeCursor(cursor)
  const rest = all.filter(({ place }) => after === null || `${place.time}|${place.id}` > `${after.time}|${after.id}`)
  const last = rest[limit - 1]
  return {
    items: rest.slice(0, limit).map((one) => one.total),
    next: rest.length > limit && last ? encodeCursor(last.place) : null,
  }
}

const storyOf = (state: StoreState, session: Parameters<Books['refundStory']>[0]): RefundStory | null => {
  const columns = state.refunds.get(session)
  if (columns === undefined) return null
  const record = state.refundRecords.get(session)
  const row = state.rows.get(session)
  const [owner, request] = [row?.ownerId ?? columns.owner_id, row?.requestId ?? columns.request_id]
  const claims = claimed(state)
  const ledger = [...state.ledger.transactions.values()].flat().filter((one) => {
    const named = claims.get(one.id) ?? sessionNamedIn(one.description)
    return (
      (one.owner === owner && one.requestId !== null && one.requestId === request) ||
      (one.type === 'refund' && named === session)
    )
  })
  return {
    refund: columns.state ? refundView({ ...columns, session_id: session }) : null,
    decision: record ? { kind: record.kind, data: record.data, evidence: null, recordedAt: null } : null,
    ledger: ledger.map(({ id, type, amount, owner: account, description, createdAt }) => {
      const kind = state.ledger.users.has(account) ? 'user' : 'store'
      return { id, type, amount, account: `${kind}:${account}`, description, createdAt }
    }),
  }
}
