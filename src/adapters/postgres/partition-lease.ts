import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced, type PartitionLease } from '../../machines/ports/event-log.ts'
import { inboxReader } from '../shared/inbox-reader.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import type { LogNews } from '../shared/log-listeners.ts'
import { untilKnown } from '../shared/until-known.ts'
import { isStatementsFault } from './errors.ts'
import type { LogCalls } from './log-calls.ts'
import { encodeCommit } from './log-commit.ts'
import type { LeaseStart } from './log-leases.ts'
import { openSessions } from './log-sessions.ts'
import type { Queryable } from './sql.ts'

/** What all leases of one process share. */
export interface LogContext {
  readonly sql: Queryable
  readonly calls: LogCalls
  readonly news: LogNews
  readonly clock: Clock
  readonly tombstonesMax: number
}

/** One partition as its owner works it. */
export const postgresLease = (held: HeldLease<LeaseStart>, context: LogContext): PartitionLease => {
  const { sql, calls, news, clock, tombstonesMax } = context
  const { partition, epoch, start } = held
  let { forgottenUntil } = start
  held.acknowledge({ step: { number: start.headNumber }, inbox: String(start.consumed) })
  const inbox = inboxReader({
    held,
    from: String(start.consumed),
    read: (position, limit) => calls.take({ partition, position: Number(position), ...limit }),
    onArrival: (listener) => news.onArrival(partition, listener),
  })
  return {
    partition,
    epoch,
    head: start.headId === null ? null : { number: start.headNumber, id: start.headId },
    lost: held.lost,
    handover: held.handover,
    open: () => openSessions(sql, partition),
    load: (ids) => calls.load({ partition, ids }),
    forgottenUntil: () => forgottenUntil,
    take: inbox.take,
    onArrival: inbox.onArrival,
    unread: () => calls.unread(partition),
    commit: async (commit) => {
      const encoded = encodeCommit(partition, epoch, commit, Number(held.acknowledged.inbox), clock.now())
      const attempt = async () => {
        if ((await calls.commit(encoded)) === 'fenced')
          throw new Fenced(`partition ${partition} has another owner or head`)
      }
      await untilKnown(held, clock, attempt, (error) => !isStatementsFault(error))
      held.acknowledge(commit)
    },
    trim: async (archivedUpTo) => {
      held.assertHeld()
      const [row] = await sql.query<{ until: Date | null }>('select wearon.log_trim($1, $2, $3, $4) as until', [
        partition,
        epoch.token,
        archivedUpTo,
        tombstonesMax,
      ])
      forgottenUntil = row?.until?.getTime() ?? forgottenUntil
    },
    release: () => held.release(),
  }
}
