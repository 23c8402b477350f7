import { type EventLog, WrongPartitionCount } from '../../machines/ports/event-log.ts'
import { LETTERS_MAX } from '../shared/dead-letters.ts'
import type { HeldLease } from '../shared/kept-lease.ts'
import { keepLeases } from '../shared/lease-keeper.ts'
import { DRAIN_MS, type LogOptions, refuseUnknown, TOMBSTONES_MAX } from '../shared/log-options.ts'
import type { RedisConnection } from './connection.ts'
import { createLog, readIdentity } from './create-log.ts'
import { LogGone } from './errors.ts'
import { logKeys } from './keys.ts'
import { redisLetters } from './letters.ts'
import { logCalls, readJournal } from './log-calls.ts'
import { type LeaseStart, redisLeaseTable } from './log-leases.ts'
import { openNews } from './log-news.ts'
import { partitionCalls } from './partition-calls.ts'
import { type LogContext, redisLease } from './partition-lease.ts'
import { journalReaders } from './readers.ts'

/** New owners go on this long after a process died, at the latest; a pause that is shorter costs nothing. */
const LEASE_TTL_MS = 5_000
/** A message may be lost with its connection: then this long passes until the next look. */
const POLL_MS = 3_000
/** What all keys begin with: the producers may use the same Redis for other things. */
const PREFIX = 'wearon'

export interface RedisLogOptions extends LogOptions {
  /** Stays open when the log is closed: the bridge may use it too. */
  readonly redis: RedisConnection
  readonly prefix?: string
}

/** The event log in Redis Streams, on one node or a cluster. Creates the log itself. @throws WrongPartitionCount */
export const openRedisLog = async (options: RedisLogOptions): Promise<EventLog> => {
  const { redis, partitions, clock, newId, prefix = PREFIX, onError = () => undefined } = options
  const {
    leaseTtlMs: ttlMs = LEASE_TTL_MS,
    drainMs = DRAIN_MS,
    tombstonesMax = TOMBSTONES_MAX,
    lettersMax = LETTERS_MAX,
  } = options
  const keys = logKeys(prefix, partitions)
  const created = await createLog(redis, keys, partitions, newId)
  if (created.partitions !== partitions) throw new WrongPartitionCount(created.partitions, partitions)
  const { identity } = created
  const each = partitionCalls(redis, keys, identity)
  const news = await openNews({ redis, calls: each, keys, partitions, clock, pollMs: POLL_MS, onError })
  const calls = logCalls(each, keys)
  const table = redisLeaseTable({ redis, calls: each, keys, identity, partitions, newId, news, clock })
  const context: LogContext = { redis, keys, each, calls, news, clock, tombstonesMax, lettersMax }
  /** @throws LogGone: another log in this one's place is never taken for it. */
  const assertThere = async () => {
    if ((await readIdentity(redis, keys)) !== identity) throw new LogGone()
  }
  return {
    partitions,
    identity: async () => {
      await assertThere()
      return identity
    },
    publish: async (messages) => {
      refuseUnknown(messages, partitions)
      if (messages.length > 0) await calls.publish(messages)
    },
    own: (owner, signal) => {
      const work = (held: HeldLease<LeaseStart>) => owner.onLease(redisLease(held, context))
      return keepLeases({ table, member: owner.id, clock, ttlMs, drainMs, work, onError }, signal)
    },
    journal: (after, limit) => readJournal(each, clock, after, limit),
    onGrowth: (listener) => news.onGrowth(listener),
    readers: journalReaders(each, partitions),
    letters: redisLetters({ each, partitions, assertThere }),
    close: () => news.close(),
  }
}
