import type { TaskSource } from '../../events/task.ts'
import type { Burial, DeadLetter, DeadLetters, LetterState } from '../../machines/ports/dead-letters.ts'
import { pageOf, placeIn, plainReason } from '../shared/dead-letters.ts'
import type { Queryable } from './sql.ts'

/** A burial as `wearon.log_commit` reads it. */
export const letterRow = ({ id, position, reason, source, bytes, at }: Burial): unknown => ({
  id,
  number: Number(position),
  reason: plainReason(reason),
  source,
  bytes: Buffer.from(bytes).toString('base64'),
  at,
})

interface LetterRow {
  readonly id: string
  readonly partition: number
  readonly reason: string
  readonly source: TaskSource
  readonly size_bytes: number
  readonly attempts: number
  readonly first_seen_at: Date
  readonly last_seen_at: Date
  readonly state: LetterState
  readonly replays: number
  readonly acted_by: string | null
  readonly acted_at: Date | null
  readonly acted_reason: string | null
}

const COLUMNS = `l.id, l.partition, l.reason, l.source, octet_length(l.bytes) as size_bytes, l.attempts, l.first_seen_at,
  l.last_seen_at, l.state, l.replays, l.acted_by, l.acted_at, l.acted_reason`

const LIST = `select ${COLUMNS} from wearon.log_dead_letters l
  where ($1::timestamptz is null or (l.first_seen_at, l.id) < ($1, $2))`

const MARK = `update wearon.log_dead_letters l
  set state = case when l.attempts = $2 then $3 else l.state end, replays = l.replays + ($3 = 'replayed')::int,
      acted_by = $4, acted_at = $5, acted_reason = $6
  where l.id = $1 returning ${COLUMNS}`

const ERASE = `update wearon.log_dead_letters
  set bytes = '', reason = 'erased', state = 'discarded' where id = $1 returning id`

export const postgresLetters = (sql: Queryable): DeadLetters => ({
  list: async (query) => {
    const { limit, state } = query
    const after = placeIn(query)
    const ofState = state === undefined ? '' : 'and l.state = $4'
    const rows = await sql.query<LetterRow>(`${LIST} ${ofState} order by l.first_seen_at desc, l.id desc limit $3`, [
      after?.time ?? null,
      after?.id ?? null,
      limit + 1,
      ...(state === undefined ? [] : [state]),
    ])
    return pageOf(rows.map(letterOf), limit)
  },
  open: async (id) => {
    const [row] = await sql.query<LetterRow & { readonly bytes: Uint8Array }>(
      `select ${COLUMNS}, l.bytes from wearon.log_dead_letters l where l.id = $1`,
      [id],
    )
    return row === undefined ? null : { ...letterOf(row), bytes: row.bytes }
  },
  mark: async (id, { state, by, at, reason, attempts }) => {
    const [row] = await sql.query<LetterRow>(MARK, [id, attempts, state, by, at, reason])
    return row === undefined ? null : letterOf(row)
  },
  erase: async (id) => (await sql.query(ERASE, [id])).length > 0,
  counts: async () => {
    const [row] = await sql.query<{ waiting: number; replayed: number; discarded: number; dropped: number }>(COUNTS, [])
    if (row === undefined) throw new Error('the log does not count its letters')
    return row
  },
})

const COUNTS = `
  select (select count(*)::int from wearon.log_dead_letters where state = 'waiting') as waiting,
         (select count(*)::int from wearon.log_dead_letters where state = 'replayed') as replayed,
         (select count(*)::int from wearon.log_dead_letters where state = 'discarded') as discarded,
         (select sum(letters_dropped)::int from wearon.log_partitions) as dropped`

const letterOf = (row: LetterRow): DeadLetter => {
  const { id, partition, reason, source, attempts, state, replays } = row
  const { acted_by: by, acted_at: at } = row
  return {
    id,
    partition,
    reason,
    source,
    sizeBytes: row.size_bytes,
    attempts,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    state,
    replays,
    lastAction: by === null || at === null ? null : { by, at: at.toISOString(), reason: row.acted_reason },
  }
}
