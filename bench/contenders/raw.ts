import { randomUUID } from 'node:crypto'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { createLog } from '../../src/adapters/redis/create-log.ts'
import { logKeys } from '../../src/adapters/redis/keys.ts'
import { logCalls } from '../../src/adapters/redis/log-calls.ts'
import { encodeCommit } from '../../src/adapters/redis/log-commit.ts'
import { partitionCalls } from '../../src/adapters/redis/partition-calls.ts'
import { partitionOf } from '../../src/events/ids.ts'
import type { Commit, Step } from '../../src/machines/ports/event-log.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
import { BATCH, type Task } from '../support/task.ts'
import type { Contender } from './contender.ts'
import { AT, completed, type RawTask, requested, snapshotOf, started } from './raw-shapes.ts'
import { PARTITIONS } from './redis-log.ts'

const LETTERS_MAX = 1_000
const TAKE = { messages: 300, bytes: 1024 * 1024 }

/**
 * The raw limit: the same messages, facts and snapshots through the same scripts, in the largest batches, with no machine,
 * no schema, no lease, and nobody who waits for an effect.
 */
export const raw = (server: RedisServer): Contender => ({
  name: 'raw limit',
  open: async () => {
    server.cli('flushall')
    const redis = await openConnection({ url: server.url, onWarning: () => {} })
    const log = await open(redis)
    let onEnd: (session: string) => void = () => {}
    return {
      prepare: async (tasks) => async () => {
        await publish(log, tasks)
        await Promise.all(
          Array.from({ length: PARTITIONS }, (_, partition) => drain(log, partition, (id) => onEnd(id))),
        )
      },
      onEnd: (listener) => {
        onEnd = listener
      },
      close: () => redis.close(),
    }
  },
})

const publish = async ({ calls }: RawLog, tasks: readonly Task[]): Promise<void> => {
  for (let from = 0; from < tasks.length; from += BATCH) {
    const batch = tasks.slice(from, from + BATCH)
    await calls.publish(
      batch.map(({ id, bytes }) => ({ partition: partitionOf(id, PARTITIONS), bytes, source: 'http' })),
    )
  }
}

type RawLog = Awaited<ReturnType<typeof open>>

const open = async (redis: RedisConnection) => {
  const keys = logKeys('wearon', PARTITIONS)
  const { identity } = await createLog(redis, keys, PARTITIONS, randomUUID)
  const each = partitionCalls(redis, keys, identity)
  const wanted = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, args: ['token'] }))
  const grants = await each.each<[epoch: string]>('acquire', ['raw', 60_000], wanted)
  return { calls: logCalls(each, keys), epochs: grants.map(([epoch]) => Number(epoch)) }
}

const drain = async ({ calls, epochs }: RawLog, partition: number, onEnd: (session: string) => void): Promise<void> => {
  const epoch = { number: epochs[partition] ?? 0, token: 'token' }
  let head: { number: number; id: string } | null = null
  let position = '0-0'
  const commit = async (parts: Pick<Commit, 'snapshots' | 'tombstones' | 'inbox'>, facts: readonly object[]) => {
    const id: string = randomUUID()
    const number: number = (head?.number ?? 0) + 1
    const place = { format: 1, partition, number, id, previous: head?.id ?? null, epoch: epoch.number, at: AT }
    const step = { ...place, facts } as Step
    const whole: Commit = { head: head?.id ?? null, step, deadLetters: [], ...parts }
    const verdict = await calls.commit(encodeCommit({ partition, epoch }, whole, position, 0, LETTERS_MAX))
    if (verdict !== 'committed') throw new Error(`the raw commit is ${verdict}`)
    head = { number, id }
    position = parts.inbox ?? position
  }
  for (;;) {
    const { messages } = await calls.take({ partition, position, ...TAKE })
    const last = messages.at(-1)
    if (last === undefined) return
    const sessions = messages.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as RawTask)
    await commit(
      { snapshots: sessions.map((one) => snapshotOf(one, 1)), tombstones: [], inbox: last.position },
      sessions.map(requested),
    )
    await commit(
      { snapshots: sessions.map((one) => snapshotOf(one, 2)), tombstones: [], inbox: null },
      sessions.map(started),
    )
    const tombstones = sessions.map((one) => ({ id: one.session_id, seq: 3, end: 'completed' as const }))
    await commit({ snapshots: [], tombstones, inbox: null }, sessions.map(completed))
    for (const { session_id: id } of sessions) onEnd(id)
  }
}
