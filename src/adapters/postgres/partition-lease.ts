import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { untilKnown } from '../shared/until-known.ts'
import { isStatementsFault } from './errors.ts'
import { type LogCalls, openSessions } from './log-calls.ts'
import { encodeCommit } from './log-commit.ts'
import type { LeaseStart } from './log-leases.ts'
import type { LogNews } from './log-news.ts'
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
  const inbox = inboxOf(held, calls, news)
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
    commit: async (commit) => {
      const encoded = encodeCommit(partition, epoch, commit, Number(held.acknowledged.inbox), clock.now())
      const attempt = async () => {
        if ((await calls.commit(encoded)) === 'fenced')
          throw new Fenced(`partition ${partition} has another owner or head`)
      }
      await untilKnown(held, clock, attempt, (error) => !isStatementsFault(error))
      held.acknowledge(commit)
    },
    trim: async (readUpTo) => {
      held.assertHeld()
      const [row] = await sql.query<{ until: Date | null }>('select wearon.log_trim($1, $2, $3, $4) as until', [
        partition,
        epoch.token,
        readUpTo,
        tombstonesMax,
      ])
      forgottenUntil = row?.until?.getTime() ?? forgottenUntil
    },
    release: () => held.release(),
  }
}

/** Reads the inbox only when something may have come since it was found empty, so that an idle partition costs nothing. */
const inboxOf = (
  held: HeldLease<LeaseStart>,
  calls: LogCalls,
  news: LogNews,
): Pick<PartitionLease, 'take' | 'onArrival'> => {
  let position = held.start.consumed
  let mayHoldMore = true
  const listeners = new Set<() => void>()
  const stopListening = news.onArrival(held.partition, () => {
    mayHoldMore = true
    for (const listener of listeners) listener()
  })
  held.ended.addEventListener('abort', stopListening)
  return {
    take: async (limit) => {
      held.assertHeld()
      if (!mayHoldMore) return []
      // Before the read: what arrives while it runs must not be forgotten.
      mayHoldMore = false
      const messages = await calls.take({ partition: held.partition, position, ...limit }).catch((error: unknown) => {
        mayHoldMore = true
        throw error
      })
      const bytes = messages.reduce((sum, message) => sum + message.bytes.byteLength, 0)
      if (messages.length >= limit.messages || bytes >= limit.bytes) mayHoldMore = true
      position = Number(messages.at(-1)?.position ?? position)
      return messages
    },
    onArrival: (listener) => {
      listeners.add(listener)
    },
  }
}
