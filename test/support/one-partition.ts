import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { defaultPolicy } from '../../src/machines/policy.ts'
import type { EventLog, PartitionLease } from '../../src/machines/ports/event-log.ts'
import { EffectPool } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../src/machines/runtime/worker.ts'
import type { Effects } from '../../src/machines/runtime/worker-context.ts'
import { quietEnvironment } from './environment.ts'
import { user } from './facts.ts'
import { noHistory } from './no-history.ts'
import type { VirtualClock } from './virtual-clock.ts'

/**
 * A worker of one partition on memory, with these tasks in its inbox and this for a generation; or of more partitions, whose leases
 * a test changes.
 */
export const startWorker = async (
  clock: VirtualClock,
  concurrency: number,
  sessions: readonly string[],
  generate: Effects['generate'],
  { partitions = 1, plant = (lease: PartitionLease) => lease, history = noHistory } = {},
) => {
  const env = quietEnvironment(clock)
  const sound = memoryLog({ partitions, clock, newId: () => env.newId() })
  const log: EventLog = {
    ...sound,
    own: (owner, signal) => sound.own({ id: owner.id, onLease: (lease) => owner.onLease(plant(lease)) }, signal),
  }
  const rate = new RateShare(null, clock)
  const stop = new AbortController()
  const worker = new Worker(
    {
      env,
      table: sessionTable,
      policy: defaultPolicy,
      log,
      history,
      drainMs: 0,
      generations: new EffectPool(concurrency, rate, clock),
      refunds: new EffectPool(concurrency, rate, clock),
      effects: { generate, refund: async () => ({ kind: 'error', detail: 'nothing is refunded here' }) },
    },
    rate,
  )
  await log.publish(sessions.map((id) => ({ partition: 0, bytes: task(id, clock), source: 'inbox' })))
  const running = worker.run(() => {}, stop.signal)
  return {
    /** The facts of each step, by their types. */
    steps: async () => {
      const steps = await log.journal(new Map([[0, 0]]), 1_000)
      return steps.map(({ facts }) => facts.map(({ type }) => type))
    },
    backlogs: () => worker.backlogs(),
    repair: () => worker.repair(0),
    /** @param withinMs how long what runs may take to heed it. */
    stop: async (withinMs: number) => {
      stop.abort()
      await clock.advance(withinMs)
      await running
    },
  }
}

const task = (id: string, clock: VirtualClock): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      task_id: `task of ${id}`,
      channel: 'b2c',
      user_id: user.userId,
      session_id: id,
      image_urls: ['https://images.example/person.jpg', 'https://images.example/garment.jpg'],
      prompt: '',
      request_id: `req_${id}`,
      version: 1,
      created_at: new Date(clock.now()).toISOString(),
    }),
  )
