import { crc32 } from 'node:zlib'
import { parseMessage } from '../../events/command.ts'
import { partitionOf } from '../../events/ids.ts'
import type { Environment } from '../../machines/ports/environment.ts'
import type { EventLog } from '../../machines/ports/event-log.ts'
import type { RedisConnection } from './connection.ts'

/** The list that the platform's producers push their tasks to. */
export const LIST = 'wearon:tasks:generation'
/** What one round moves at most: little is published twice when a bridge dies, and hosted Redis refuses requests above 1 MB. */
const TASKS_MAX = 200
const BYTES_MAX = 512 * 1024
/** A bridge that is silent for this long is dead, and another one takes up what it held. */
const TTL_MS = 15_000
/** An empty list is looked at again after this; a generation takes many times longer. Hosted Redis counts each look. */
const IDLE_FIRST_MS = 20
const IDLE_MAX_MS = 500

export interface BridgeOptions {
  readonly redis: RedisConnection
  readonly log: Pick<EventLog, 'publish' | 'partitions'>
  readonly env: Pick<Environment, 'clock' | 'newId' | 'logger'>
  readonly ttlMs?: number
  /** Asked before each round: whether tasks are to stay in the list for now. */
  readonly isHeld?: () => boolean
}

/**
 * Carries the producers' tasks from their list to the log until the signal aborts. A task is first moved to a list of this
 * bridge's own, then published, then removed there: it is in some key at every moment, and is published again rather than
 * lost. Touches no other key. Rejects when Redis or the log does not answer; what is held is then given back, or taken up by
 * the next bridge.
 */
export const bridgeTasks = async (options: BridgeOptions, alive: () => void, signal: AbortSignal): Promise<void> => {
  const { env, ttlMs = TTL_MS, isHeld = () => false } = options
  const { clock } = env
  const bridge = env.newId()
  let idleMs = IDLE_FIRST_MS
  let lookAt = 0
  try {
    while (!signal.aborted) {
      alive()
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + ttlMs / 2
        await takeUp(options, bridge)
      }
      const tasks = isHeld() ? [] : await move(options, bridge, ttlMs)
      await publish(options, tasks)
      await remove(options, bridge, tasks)
      idleMs = tasks.length > 0 ? IDLE_FIRST_MS : Math.min(idleMs * 2, IDLE_MAX_MS)
      if (tasks.length === 0) await clock.sleep(idleMs, signal)
    }
  } finally {
    // Without an answer the bridge's time runs out, and what it held is taken up like a dead one's.
    await giveBack(options, bridge, true).catch(() => undefined)
  }
}

/**
 * When the oldest task was made that waits in the producers' list or with a bridge (ms since the epoch); null when none does,
 * 0 when that one does not say.
 */
export const oldestWaiting = async (redis: RedisConnection): Promise<number | null> => {
  const oldestOf = async (lists: readonly string[]) => (await redis.runForBytes('bridge_oldest', lists, [])) as Buffer[]
  // In the order in which a task goes, so that none is missed on its way.
  const inList = await oldestOf([LIST])
  const bridges = (await redis.run('bridge_others', [inListSlot('bridges')], [])) as string[]
  const held = bridges.length === 0 ? [] : await oldestOf(bridges.map((bridge) => inListSlot(`holding:${bridge}`)))
  const tasks = [...inList, ...held]
  return tasks.length === 0 ? null : Math.min(...tasks.map(madeAt))
}

const madeAt = (bytes: Buffer): number => {
  const parsed = parseMessage(bytes, 'list')
  const createdAt = parsed.command === 'generation.request' ? parsed.task.createdAt : null
  return createdAt === null ? 0 : Date.parse(createdAt)
}

/** All in the list's own slot, since a move needs that. */
export const inListSlot = (name: string): string => `{${LIST}}:${name}`

const keysOf = (bridge: string): string[] => [
  LIST,
  inListSlot(`holding:${bridge}`),
  inListSlot(`alive:${bridge}`),
  inListSlot('bridges'),
]

const move = async ({ redis }: BridgeOptions, bridge: string, ttlMs: number): Promise<Buffer[]> =>
  (await redis.runForBytes('bridge_move', keysOf(bridge), [bridge, ttlMs, TASKS_MAX, BYTES_MAX])) as Buffer[]

const publish = async ({ log }: BridgeOptions, tasks: readonly Buffer[]): Promise<void> => {
  if (tasks.length === 0) return
  await log.publish(
    tasks.map((bytes) => ({ partition: partitionFor(bytes, log.partitions), bytes, source: 'list' as const })),
  )
}

/** What names no session becomes a dead letter wherever it goes. */
const partitionFor = (bytes: Buffer, partitions: number): number => {
  const parsed = parseMessage(bytes, 'list')
  return parsed.command === 'poison' ? crc32(bytes) % partitions : partitionOf(parsed.sessionId, partitions)
}

const remove = async ({ redis }: BridgeOptions, bridge: string, tasks: readonly Buffer[]): Promise<void> => {
  if (tasks.length > 0) await redis.run('bridge_done', [inListSlot(`holding:${bridge}`)], tasks)
}

/** Gives back what dead bridges held. */
const takeUp = async (options: BridgeOptions, bridge: string): Promise<void> => {
  const known = (await options.redis.run('bridge_others', [inListSlot('bridges')], [])) as string[]
  for (const other of known.filter((one) => one !== bridge)) {
    const tasks = await giveBack(options, other, false)
    if (tasks > 0) options.env.logger.warn({ bridge: other, tasks }, 'tasks of a dead bridge were taken up')
  }
}

/** Answers how many tasks went back to the list; none while the bridge lives. */
const giveBack = async ({ redis }: BridgeOptions, bridge: string, itself: boolean): Promise<number> => {
  for (let total = 0; ; ) {
    const args = [bridge, itself ? '1' : '0', TASKS_MAX]
    const moved = (await redis.run('bridge_give_back', keysOf(bridge), args)) as number
    total += moved
    if (moved < TASKS_MAX) return total
  }
}
