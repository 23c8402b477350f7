import { type BookClass, bookClasses, EXCEPTIONS, IMBALANCES } from '../projections/books.ts'
import { ORPHAN_CLASSES } from '../projections/orphans.ts'
import type { BookLine, BookTotal, ReconciliationRun, ReconciliationSummary } from '../projections/reconciliation.ts'
import type { Columns } from './csv.ts'

export const summaryJson = (summary: ReconciliationSummary): object => ({
  as_of: summary.asOf,
  position: summary.position,
  ledger_lines: summary.ledgerLines,
  checksum: summary.checksum,
  balanced: summary.balanced,
  sessions: summary.sessions,
  charged: summary.charged,
  kept: summary.kept,
  given_back: summary.givenBack,
  owed: summary.owed,
  open: summary.open,
  drift: summary.drift,
  escalated: summary.escalated,
  oldest_owed_seconds: summary.oldestOwedSeconds,
  classes: summary.classes,
  ages: summary.ages,
  channels: Object.fromEntries(
    Object.entries(summary.channels).map(([channel, { givenBack, ...total }]) => [
      channel,
      { ...total, given_back: givenBack },
    ]),
  ),
})

/** What each class that has a line means to finance, and whether somebody should look (`exception`), or credits are astray. */
export const meaningsOf = ({ classes }: Pick<ReconciliationSummary, 'classes'>): object =>
  Object.fromEntries(
    (Object.keys(classes) as BookClass[]).map((name) => [
      name,
      { meaning: bookClasses[name], severity: severityOf(name) },
    ]),
  )

const severityOf = (name: BookClass): 'none' | 'exception' | 'imbalance' => {
  if (IMBALANCES.includes(name)) return 'imbalance'
  return EXCEPTIONS.includes(name) ? 'exception' : 'none'
}

export const runJson = (run: ReconciliationRun): object => ({ id: run.id, ...summaryJson(run) })

export const lineJson = (line: BookLine): object => ({
  class: line.class,
  kind: line.kind,
  session_id: line.sessionId,
  channel: line.channel,
  owner_id: line.ownerId,
  email: line.email,
  ledger_record: line.ledgerRecord,
  since: line.since,
  charged: line.charged,
  given_back: line.givenBack,
  drift: line.drift,
  detail: line.detail,
  meaning: bookClasses[line.class],
})

export const totalJson = ({ ownerId, givenBack, ...total }: BookTotal): object => ({
  ...total,
  owner_id: ownerId,
  given_back: givenBack,
})

export const exceptionColumns: Columns<BookLine> = {
  class: (line) => line.class,
  kind: (line) => line.kind,
  session_id: (line) => line.sessionId,
  channel: (line) => line.channel,
  owner_id: (line) => line.ownerId,
  email: (line) => line.email,
  ledger_record: (line) => line.ledgerRecord,
  since: (line) => line.since,
  charged: (line) => line.charged,
  given_back: (line) => line.givenBack,
  drift: (line) => line.drift,
  detail: (line) => line.detail,
  meaning: (line) => bookClasses[line.class],
}

/** Classes that are of an account or of nobody's session: they are in the list of exceptions alone. */
const NOT_OF_SESSIONS: ReadonlySet<BookClass> = new Set([
  'unknown_to_us',
  'balance_differs',
  'charges_differ',
  'set_aside',
  ...ORPHAN_CLASSES,
])

export const totalColumns: Columns<BookTotal> = {
  day: (total) => total.day,
  channel: (total) => total.channel,
  owner_id: (total) => total.ownerId,
  sessions: (total) => total.sessions,
  charged: (total) => total.charged,
  kept: (total) => total.kept,
  given_back: (total) => total.givenBack,
  owed: (total) => total.owed,
  open: (total) => total.open,
  drift: (total) => total.drift,
  ...Object.fromEntries(
    (Object.keys(bookClasses) as BookClass[])
      .filter((name) => !NOT_OF_SESSIONS.has(name))
      .map((name) => [`sessions_${name}`, (total: BookTotal) => total.classes[name] ?? 0]),
  ),
}
