import type { SessionId } from '../../events/ids.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import { Fenced, type PartitionLease } from '../../machines/ports/event-log.ts'
import type { Snapshot } from '../../machines/snapshot.ts'
import { inboxReader } from '../shared/inbox-reader.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import type { LogNews, Told } from '../shared/log-listeners.ts'
import { owesWork } from '../shared/owes-work.ts'
import { untilKnown } from '../shared/until-known.ts'
import type { RedisConnection } from './connection.ts'
import { isCallsFault } from './errors.ts'
import type { LogKeys } from './keys.ts'
import type { Kept, LogCalls } from './log-calls.ts'
import { encodeCommit, parseSession } from './log-commit.ts'
import type { LeaseStart } from './log-leases.ts'
import type { PartitionCalls } from './partition-calls.ts'

/** What all leases of one process share. */
export interface LogContext {
  readonly redis: RedisConnection
  readonly keys: LogKeys
  readonly each: PartitionCalls
  readonly calls: LogCalls
  readonly news: LogNews
  readonly clock: Clock
  readonly tombstonesMax: number
  readonly lettersMax: number
}

/**
 * What is taken at once comes back as facts and snapshots in one commit, up to three times as large; hosted Redis refuses
 * requests above 1 MB on its smaller plans.
 */
const TAKE_BYTES_MAX = 256 * 1024

/** One partition as its owner works it. */
export const redisLease = (held: HeldLease<LeaseStart>, context: LogContext): PartitionLease => {
  const { redis, keys, each, calls, news, clock, tombstonesMax, lettersMax } = context
  const { partition, epoch, start } = held
  let { forgottenUntil } = start
  held.acknowledge({ step: start.head, inbox: start.consumed })
  // What was read along with the messages holds until this lease, the only writer, commits.
  let readAlong: ReadonlyMap<SessionId, Kept | null> = new Map()
  let lastTold: Told | null = null
  const inbox = inboxReader({
    held,
    from: start.consumed,
    read: async (position, limit) => {
      const told = lastTold
      lastTold = null
      if (told?.after === position && told.step === held.acknowledged.step) {
        readAlong = new Map([[told.sessionId, null]])
        return [told.message]
      }
      const { messages, sessions } = await calls.take({ partition, position, ...limit })
      readAlong = sessions
      return messages
    },
    onArrival: (listener) =>
      news.onArrival(partition, (told) => {
        // Whatever else is said, there may be more than was told.
        lastTold = told
        listener()
      }),
  })
  return {
    partition,
    epoch,
    head: start.head,
    lost: held.lost,
    handover: held.handover,
    open: () => openSessions(redis, keys.partition(partition).open),
    load: async (ids) => {
      const along = readAlong
      const missing = ids.filter((id) => !along.has(id))
      const loaded = missing.length > 0 ? await calls.load({ partition, ids: missing }) : new Map<SessionId, Kept>()
      for (const id of ids) {
        const kept = along.get(id)
        if (kept) loaded.set(id, kept)
      }
      return loaded
    },
    forgottenUntil: () => forgottenUntil,
    take: ({ messages, bytes }) => inbox.take({ messages, bytes: Math.min(bytes, TAKE_BYTES_MAX) }),
    onArrival: inbox.onArrival,
    unread: () => calls.unread({ partition, args: [] }),
    commit: async (commit) => {
      readAlong = new Map()
      const left = held.acknowledged.inbox ?? start.consumed
      const encoded = encodeCommit(held, commit, left, clock.now(), lettersMax)
      const attempt = async () => {
        if ((await calls.commit(encoded)) === 'fenced')
          throw new Fenced(`partition ${partition} has another owner or head`)
      }
      await untilKnown(held, clock, attempt, (error) => !isCallsFault(error))
      held.acknowledge(commit)
    },
    trim: async (archivedUpTo) => {
      held.assertHeld()
      const call = { partition, args: [epoch.token, archivedUpTo, tombstonesMax] }
      const [until] = await each.each<string | null>('trim', [], [call])
      if (until) forgottenUntil = Date.parse(until)
    },
    release: () => held.release(),
  }
}

const OPEN_PAGE = 1_000

/** The sessions of a partition that owe work, page by page. A scan may name one twice; nobody moves them meanwhile. */
async function* openSessions(redis: RedisConnection, key: string): AsyncIterable<Snapshot> {
  const seen = new Set<string>()
  for (let cursor = ''; cursor !== '0'; ) {
    const [next, fields] = await redis.scanHash(key, cursor === '' ? '0' : cursor, OPEN_PAGE)
    for (let at = 0; at < fields.length; at += 2) {
      const id = fields[at] as SessionId
      if (seen.has(id)) continue
      seen.add(id)
      const session = parseSession(id, fields[at + 1] ?? '')
      if (!('end' in session) && owesWork(session)) yield session
    }
    cursor = next
  }
}
