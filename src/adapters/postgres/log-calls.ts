import { parseFact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import type { TaskSource } from '../../events/task.ts'
import type { EventLog, InboxMessage, Step } from '../../machines/ports/event-log.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import { refuseNewer } from '../shared/format.ts'
import { grouped } from '../shared/grouped.ts'
import { isStatementsFault } from './errors.ts'
import { type LoadRequest, loadSessions } from './log-sessions.ts'
import type { Queryable } from './sql.ts'

/** One round trip may hold the only connection for some tens of milliseconds, not longer. */
const TRIP_BYTES_MAX = 4 * 1024 * 1024
const TRIP_CALLS_MAX = 1_000
const TRIP_SESSIONS_MAX = 20_000

type Messages = Parameters<EventLog['publish']>[0]

/** A commit as it travels: one JSON object, see `wearon.log_commit`. */
export interface EncodedCommit {
  readonly partition: number
  readonly json: string
  /** Whether dead letters are among it. */
  readonly buries: boolean
}
export type Verdict = 'committed' | 'repeated' | 'fenced'

interface TakeRequest {
  readonly partition: number
  readonly position: number
  readonly messages: number
  readonly bytes: number
}

/** The log's calls, each of which shares its round trip with all others of its kind that are made meanwhile. */
export interface LogCalls {
  publish(messages: Messages): Promise<void>
  commit(commit: EncodedCommit): Promise<Verdict>
  take(request: TakeRequest): Promise<InboxMessage[]>
  load(request: LoadRequest): Promise<Map<SessionId, Snapshot | Tombstone>>
  unread(partition: number): Promise<number>
}

export const logCalls = (sql: Queryable, lettersMax: number): LogCalls => ({
  publish: grouped({
    run: (calls: readonly Messages[]) => publish(sql, calls),
    weigh: (messages) => messages.reduce((bytes, message) => bytes + message.bytes.byteLength, 0),
    weightMax: TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isStatementsFault,
  }),
  commit: grouped({
    run: (commits: readonly EncodedCommit[]) => commit(sql, commits, lettersMax),
    weigh: ({ json }) => json.length,
    weightMax: TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    keyOf: ({ partition }) => partition,
    isItemsFault: isStatementsFault,
  }),
  take: grouped({
    run: (requests: readonly TakeRequest[]) => take(sql, requests),
    weigh: ({ bytes }) => bytes,
    weightMax: TRIP_BYTES_MAX,
    itemsMax: TRIP_CALLS_MAX,
    keyOf: ({ partition }) => partition,
    isItemsFault: isStatementsFault,
  }),
  load: grouped({
    run: (requests: readonly LoadRequest[]) => loadSessions(sql, requests),
    weigh: ({ ids }) => ids.length,
    weightMax: TRIP_SESSIONS_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isStatementsFault,
  }),
  unread: grouped({
    run: (partitions: readonly number[]) => unread(sql, partitions),
    weigh: () => 1,
    weightMax: TRIP_CALLS_MAX,
    itemsMax: TRIP_CALLS_MAX,
    isItemsFault: isStatementsFault,
  }),
})

const publish = async (sql: Queryable, calls: readonly Messages[]): Promise<undefined[]> => {
  const messages = calls.flat()
  if (messages.length > 0) {
    await sql.query('select wearon.log_publish($1, $2, $3, $4)', [
      messages.map(({ partition }) => partition),
      messages.map(({ source }) => source),
      messages.map(({ bytes }) => bytes.byteLength),
      Buffer.concat(messages.map(({ bytes }) => bytes)),
    ])
  }
  return calls.map(() => undefined)
}

const commit = async (sql: Queryable, commits: readonly EncodedCommit[], lettersMax: number): Promise<Verdict[]> => {
  const rows = await sql.query<{ partition: number; verdict: Verdict }>('select * from wearon.log_commit($1, $2, $3)', [
    commits.map(({ partition }) => partition),
    `[${commits.map(({ json }) => json).join(',')}]`,
    commits.some(({ buries }) => buries) ? lettersMax : null,
  ])
  const verdicts = new Map(rows.map(({ partition, verdict }) => [partition, verdict]))
  return commits.map(({ partition }) => {
    const verdict = verdicts.get(partition)
    if (verdict === undefined) throw new Error(`the log has no partition ${partition}`)
    return verdict
  })
}

const take = async (sql: Queryable, requests: readonly TakeRequest[]): Promise<InboxMessage[][]> => {
  const rows = await sql.query<{ partition: number; number: number; source: TaskSource; bytes: Uint8Array }>(
    'select * from wearon.log_take($1, $2, $3, $4)',
    [
      requests.map(({ partition }) => partition),
      requests.map(({ position }) => position),
      requests.map(({ messages }) => messages),
      requests.map(({ bytes }) => bytes),
    ],
  )
  const taken = Map.groupBy(rows, ({ partition }) => partition)
  return requests.map(({ partition }) =>
    (taken.get(partition) ?? []).map(({ number, source, bytes }) => ({ position: String(number), source, bytes })),
  )
}

/** Positions of an inbox are counted without a gap. */
const UNREAD = `
  select p.partition, b.published - p.consumed as unread
  from wearon.log_partitions p join wearon.log_inboxes b on b.partition = p.partition
  where p.partition = any ($1::int[])`

const unread = async (sql: Queryable, partitions: readonly number[]): Promise<number[]> => {
  const rows = await sql.query<{ partition: number; unread: number }>(UNREAD, [partitions])
  const found = new Map(rows.map((row) => [row.partition, row.unread]))
  return partitions.map((partition) => found.get(partition) ?? 0)
}

interface StepRow {
  readonly partition: number
  readonly number: number
  readonly id: string
  readonly previous: string | null
  readonly epoch: number
  readonly format: number
  readonly at: Date
  readonly facts: readonly unknown[]
}

/** See `EventLog.journal`. @throws for a step of a newer program. */
export const readJournal = async (
  sql: Queryable,
  after: ReadonlyMap<number, number>,
  limit: number,
): Promise<Step[]> => {
  const rows = await sql.query<StepRow>('select * from wearon.log_read($1, $2, $3)', [
    [...after.keys()],
    [...after.values()],
    limit,
  ])
  return rows.map((row) => {
    refuseNewer(row.format, `step ${row.number} of partition ${row.partition}`)
    const { partition, number, id, previous, epoch, format } = row
    return { partition, number, id, previous, epoch, format, at: row.at.toISOString(), facts: row.facts.map(parseFact) }
  })
}
