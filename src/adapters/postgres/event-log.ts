import { type EventLog, WrongPartitionCount } from '../../machines/ports/event-log.ts'
import { LETTERS_MAX } from '../shared/dead-letters.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { keepLeases } from '../shared/lease-keeper.ts'
import { DRAIN_MS, type LogOptions, refuseUnknown, TOMBSTONES_MAX } from '../shared/log-options.ts'
import { postgresLetters } from './letters.ts'
import { logCalls, readJournal } from './log-calls.ts'
import { type LeaseStart, postgresLeaseTable } from './log-leases.ts'
import { openNews } from './log-news.ts'
import { type LogContext, postgresLease } from './partition-lease.ts'
import { journalReaders } from './readers.ts'
import type { Sql } from './sql.ts'

/** New owners go on this long after a process died, at the latest; a pause that is shorter costs nothing. */
const LEASE_TTL_MS = 5_000
/** A log that no other process can open needs its leases only for the order within this one; each beat costs CPU. */
const ALONE_TTL_MS = 30_000
/** A notification may be lost with its connection: then this long passes until the next look. */
const POLL_MS = 3_000
/** Within one process no notification is lost. */
const ALONE_POLL_MS = 15_000

export interface PostgresLogOptions extends LogOptions {
  /** Stays open when the log is closed: the store may use it too. */
  readonly sql: Sql
  /**
   * No other process can have the log open (an embedded one, its folder locked): what an earlier one held is free at once,
   * and an idle process hardly wakes.
   */
  readonly alone?: boolean
}

/**
 * The event log in PostgreSQL's tables, on a server or embedded. Needs the migrations; creates the log itself.
 * @throws WrongPartitionCount
 */
export const openPostgresLog = async (options: PostgresLogOptions): Promise<EventLog> => {
  const { sql, partitions, clock, newId, alone = false, onError = () => undefined } = options
  const {
    leaseTtlMs: ttlMs = alone ? ALONE_TTL_MS : LEASE_TTL_MS,
    drainMs = DRAIN_MS,
    tombstonesMax = TOMBSTONES_MAX,
    lettersMax = LETTERS_MAX,
  } = options
  const identity = await createLog(sql, partitions, newId)
  if (alone) await sql.query('delete from wearon.log_members')
  const news = await openNews(sql, { clock, pollMs: alone ? ALONE_POLL_MS : POLL_MS, onError })
  const calls = logCalls(sql, lettersMax)
  const table = postgresLeaseTable(sql, partitions, newId, news)
  const context: LogContext = { sql, calls, news, clock, tombstonesMax }
  return {
    partitions,
    identity: async () => identity,
    publish: async (messages) => {
      refuseUnknown(messages, partitions)
      await calls.publish(messages)
    },
    own: (owner, signal) => {
      const work = (held: HeldLease<LeaseStart>) => owner.onLease(postgresLease(held, context))
      return keepLeases({ table, member: owner.id, clock, ttlMs, drainMs, work, onError }, signal)
    },
    journal: (after, limit) => readJournal(sql, after, limit),
    onGrowth: (listener) => news.onGrowth(listener),
    readers: journalReaders(sql),
    letters: postgresLetters(sql),
    close: () => news.close(),
  }
}

const createLog = async (sql: Sql, partitions: number, newId: () => string): Promise<string> => {
  const [log] = await sql.query<{ identity: string; partitions: number }>('select * from wearon.log_create($1, $2)', [
    newId(),
    partitions,
  ])
  if (log === undefined) throw new Error('the log could not be created')
  if (log.partitions === partitions) return log.identity
  throw new WrongPartitionCount(log.partitions, partitions)
}
