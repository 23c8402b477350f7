import type { Clock } from '../../machines/ports/environment.ts'
import type { StepRef } from '../../machines/ports/event-log.ts'
import { inTime } from '../../machines/runtime/in-time.ts'
import type { Grant } from '../shared/kept-lease.ts'
import type { LeaseRef, LeaseTable } from '../shared/lease-table.ts'
import type { LogNews } from '../shared/log-listeners.ts'
import type { RedisConnection } from './connection.ts'
import { inOurWords, LogGone } from './errors.ts'
import type { LogKeys } from './keys.ts'
import type { PartitionCalls } from './partition-calls.ts'
import { reachEach } from './reach.ts'

/** Where a lease begins. */
export interface LeaseStart {
  readonly head: StepRef | null
  readonly consumed: string
  readonly forgottenUntil: number | null
}

/** What `beat.lua` answers. */
const HELD = 1
const FREE = 2
const GONE = -1

/** Before the first message of every stream. */
const NOTHING_READ = '0-0'

interface LeaseTableParts {
  readonly redis: RedisConnection
  readonly calls: PartitionCalls
  readonly keys: LogKeys
  readonly identity: string
  readonly partitions: number
  readonly newId: () => string
  readonly news: LogNews
  readonly clock: Clock
}

/** A node of a cluster that is silent for longer is left out of a beat, so that the leases on the others are extended in time. */
const SILENCE_MAX_MS = 500

/** The leases of a log in Redis. Their time is the server's, on a cluster that of each partition's node. */
export const redisLeaseTable = (parts: LeaseTableParts): LeaseTable<LeaseStart> => {
  const { calls, keys, partitions, newId, news } = parts
  const meeting = recalling(parts)
  return {
    partitions,
    beat: async (member, held, ttlMs, joins) => {
      const [members, states] = await Promise.all([
        meeting(member, ttlMs, joins ? '1' : '0'),
        beat(parts, member, held, ttlMs),
      ])
      if (states.includes(GONE)) throw new LogGone()
      const these = (state: number | null) => states.flatMap((one, partition) => (one === state ? [partition] : []))
      return { extended: new Set(these(HELD)), members, free: these(FREE), unknown: new Set(these(null)) }
    },
    acquire: async (member, wanted, ttlMs) => {
      const tokens = wanted.map((partition) => ({ partition, args: [newId()] }))
      const answers = await calls.each<GrantAnswer>('acquire', [member, ttlMs], tokens)
      return tokens.flatMap(({ partition, args: [token = ''] }, index) =>
        grantOf(partition, token, answers[index] ?? []),
      )
    },
    release: async (_member, held) => {
      await calls.each('release', [keys.channel], held.map(tokenOf))
    },
    leave: async (member) => {
      await beat(parts, member, [], 0)
      await meet(parts, member, 0, '')
    },
    onChange: (listener) => news.onLeases(listener),
  }
}

type GrantAnswer = readonly [] | readonly [epoch: string, number: string, head: string, consumed: string, until: string]

const grantOf = (partition: number, token: string, answer: GrantAnswer): Grant<LeaseStart>[] => {
  if (answer.length === 0) return []
  const [epoch, number, head, consumed, until] = answer
  return [
    {
      partition,
      epoch: { number: Number(epoch), token },
      start: {
        head: head === '' ? null : { number: Number(number), id: head },
        consumed,
        forgottenUntil: until === '' ? null : Date.parse(until),
      },
    },
  ]
}

const tokenOf = ({ partition, epoch }: LeaseRef) => ({ partition, args: [epoch.token] })

const beat = (
  { calls, partitions, clock }: LeaseTableParts,
  member: string,
  held: readonly LeaseRef[],
  ttlMs: number,
): Promise<(number | null)[]> => {
  const leases = new Map(held.map((lease) => [lease.partition, lease]))
  const told = Array.from({ length: partitions }, (_, partition) => {
    const lease = leases.get(partition)
    const { step = 0, inbox = null } = lease?.acknowledged ?? {}
    return { partition, args: [lease?.epoch.token ?? '', step, inbox ?? NOTHING_READ] }
  })
  return reachEach(calls, 'beat', [member, ttlMs], told, { clock, ms: SILENCE_MAX_MS })
}

/** While the node that keeps the members is away, the last ones that it named: no partition of another node waits for it. */
const recalling = (parts: LeaseTableParts) => {
  let last: string[] | null = null
  return async (member: string, ttlMs: number, joins: '1' | '0'): Promise<string[]> => {
    try {
      const met = meet(parts, member, ttlMs, joins)
      last = await (parts.calls.together ? met : inTime(met, SILENCE_MAX_MS, parts.clock))
    } catch (error) {
      if (parts.calls.together || last === null || error instanceof LogGone) throw error
    }
    return last
  }
}

const meet = async (
  { redis, keys, identity }: LeaseTableParts,
  member: string,
  ttlMs: number,
  joins: '1' | '0' | '',
): Promise<string[]> => {
  const args = [identity, 1, keys.channel, member, ttlMs, joins]
  const members = await redis.run('members', [keys.log, keys.members], args).catch((error: unknown) => {
    throw inOurWords(error)
  })
  return members as string[]
}
