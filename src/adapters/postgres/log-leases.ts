import type { LeaseRef, LeaseTable } from '../shared/lease-table.ts'
import type { LogNews } from '../shared/log-listeners.ts'
import type { Queryable } from './sql.ts'

/** Where a lease begins. */
export interface LeaseStart {
  readonly headNumber: number
  readonly headId: string | null
  readonly consumed: number
  readonly forgottenUntil: number | null
}

interface GrantRow {
  readonly partition: number
  readonly epoch: number
  readonly token: string
  readonly head_number: number
  readonly head_id: string | null
  readonly consumed: number
  readonly forgotten_until: Date | null
}

/** The leases of a log on PostgreSQL. Their time is the server's. */
export const postgresLeaseTable = (
  sql: Queryable,
  partitions: number,
  newId: () => string,
  news: LogNews,
): LeaseTable<LeaseStart> => ({
  partitions,
  beat: async (member, held, ttlMs, joins) => {
    const [pulse] = await sql.query<{ extended: number[]; members: string[]; free: number[] }>(
      'select * from wearon.log_beat($1, $2, $3, $4, $5, $6, $7)',
      [member, ...columns(held), ...acknowledged(held), ttlMs, joins],
    )
    if (pulse === undefined) throw new Error('the log did not answer the beat')
    return { extended: new Set(pulse.extended), members: pulse.members, free: pulse.free }
  },
  acquire: async (member, wanted, ttlMs) => {
    const tokens = wanted.map(() => newId())
    const rows = await sql.query<GrantRow>('select * from wearon.log_acquire($1, $2, $3, $4)', [
      member,
      wanted,
      tokens,
      ttlMs,
    ])
    return rows.map((row) => ({
      partition: row.partition,
      epoch: { number: row.epoch, token: row.token },
      start: {
        headNumber: row.head_number,
        headId: row.head_id,
        consumed: row.consumed,
        forgottenUntil: row.forgotten_until?.getTime() ?? null,
      },
    }))
  },
  release: async (member, held) => {
    await sql.query('select wearon.log_release($1, $2, $3)', [member, ...columns(held)])
  },
  leave: async (member) => {
    await sql.query('select wearon.log_leave($1)', [member])
  },
  onChange: (listener) => news.onLeases(listener),
})

const acknowledged = (held: readonly LeaseRef[]) => [
  held.map(({ acknowledged: { step } }) => step),
  held.map(({ acknowledged: { inbox } }) => Number(inbox ?? 0)),
]

const columns = (held: readonly LeaseRef[]) => [
  held.map(({ partition }) => partition),
  held.map(({ epoch }) => epoch.token),
]
