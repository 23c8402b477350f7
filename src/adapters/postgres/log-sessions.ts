import type { SessionId } from '../../events/ids.ts'
import type { StateName } from '../../machines/compile.ts'
import type { SessionContext } from '../../machines/session.ts'
import type { Snapshot, Tombstone } from '../../machines/snapshot.ts'
import { refuseNewer } from '../shared/format.ts'
import type { Queryable } from './sql.ts'

export interface LoadRequest {
  readonly partition: number
  readonly ids: readonly SessionId[]
}

const SESSIONS = `
  select s.partition, s.id, s.seq, s.state, s.format, s.context
  from unnest($1::int[], $2::uuid[]) as r (partition, id)
  join wearon.log_sessions s on s.partition = r.partition and s.id = r.id`

/** What is known of the sessions that are asked for, in one round trip. @throws for a session of a newer program. */
export const loadSessions = async (
  sql: Queryable,
  requests: readonly LoadRequest[],
): Promise<Map<SessionId, Snapshot | Tombstone>[]> => {
  const partitions = requests.flatMap(({ partition, ids }) => ids.map(() => partition))
  const rows = await sql.query<SessionRow>(SESSIONS, [partitions, requests.flatMap(({ ids }) => ids)])
  const found = Map.groupBy(rows, ({ partition }) => partition)
  return requests.map(({ partition, ids }) => {
    const asked = new Set(ids)
    const sessions = (found.get(partition) ?? []).filter(({ id }) => asked.has(id))
    return new Map(sessions.map((row) => [row.id, sessionOf(row)]))
  })
}

interface SessionRow {
  readonly partition: number
  readonly id: SessionId
  readonly seq: number
  readonly state: StateName
  readonly format: number
  /** Null for a session that closed. */
  readonly context: SessionContext | null
}

const sessionOf = (row: SessionRow): Snapshot | Tombstone => {
  refuseNewer(row.format, `session ${row.id}`)
  const { id, seq, state, context } = row
  return context === null ? { id, seq, end: state } : { id, seq, state, context }
}

const OPEN_PAGE = 1_000

/** The sessions of a partition that owe work, page by page. */
export async function* openSessions(sql: Queryable, partition: number): AsyncIterable<Snapshot> {
  let last = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const page = await sql.query<SessionRow>(OWING, [partition, last, OPEN_PAGE])
    for (const row of page) yield sessionOf(row) as Snapshot
    const end = page.at(-1)
    if (end === undefined || page.length < OPEN_PAGE) return
    last = end.id
  }
}

const OWING = `
  select partition, id, seq, state, format, context from wearon.log_sessions
  where partition = $1 and owes and id > $2 order by id limit $3`
