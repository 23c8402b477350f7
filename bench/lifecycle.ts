import { randomUUID } from 'node:crypto'
import { partitionOf, SessionId } from '../src/events/ids.ts'
import { sessionTable } from '../src/machines/compile.ts'
import type { GenerationOutcome } from '../src/machines/effects/outcome.ts'
import { defaultPolicy } from '../src/machines/policy.ts'
import type { Environment } from '../src/machines/ports/environment.ts'
import type { EventLog } from '../src/machines/ports/event-log.ts'
import type { History } from '../src/machines/ports/history.ts'
import { EffectPool } from '../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../src/machines/runtime/rate-share.ts'
import { Worker } from '../src/machines/runtime/worker.ts'

/** A task as a producer sends it, for a new session. */
export const task = (): { id: SessionId; bytes: Uint8Array } => {
  const id = SessionId.parse(randomUUID())
  const bytes = Buffer.from(
    JSON.stringify({
      task_id: randomUUID(),
      channel: 'b2c',
      user_id: randomUUID(),
      session_id: id,
      image_urls: ['https://images.example/person.jpg?token=abc', 'https://images.example/garment.jpg?token=abc'],
      prompt: '',
      request_id: `req_${randomUUID()}`,
      version: 1,
      created_at: new Date().toISOString(),
    }),
  )
  return { id, bytes }
}

/** A worker whose generations do nothing but end well, so that only the engine's own cost is left. */
export const noOpWorker = (
  log: EventLog,
  env: Environment,
  concurrency: number,
  onCompleted: (session: string) => void,
) => {
  const none = { inputTokens: 0, outputTokens: 0, costUsd: 0 }
  const provenance = { generator: 'none', model: 'none', providerRequestId: null, inputs: [] }
  const rate = new RateShare(null, env.clock)
  return new Worker(
    {
      env,
      table: sessionTable,
      policy: defaultPolicy,
      log: log,
      history: noHistory,
      generations: new EffectPool(concurrency, rate, env.clock),
      refunds: new EffectPool(4, new RateShare(null, env.clock), env.clock),
      drainMs: 1_000,
      effects: {
        generate: async ({ id }): Promise<GenerationOutcome> => {
          onCompleted(id)
          const result = {
            path: `generated/${id}.jpg`,
            url: 'https://x.example/y',
            urlExpiresAt: new Date().toISOString(),
          }
          return { kind: 'completed', result: { ...result, usage: none, durationMs: 0, provenance, found: false } }
        },
        refund: async () => ({ kind: 'error', detail: 'nothing fails here' }),
      },
    },
    rate,
  )
}

/** No archive: nothing is known and every owner is admitted. */
const noHistory: History = {
  admit: async () => ({ admitted: true, archived: null }),
  knows: async () => new Set(),
  head: async () => null,
  step: async () => null,
  sessionsAfter: async () => new Map(),
  mend: async () => {},
}

export const publishAll = async (
  log: EventLog,
  tasks: readonly { id: SessionId; bytes: Uint8Array }[],
  batch: number,
) => {
  for (let from = 0; from < tasks.length; from += batch) {
    await log.publish(
      tasks
        .slice(from, from + batch)
        .map(({ id, bytes }) => ({ partition: partitionOf(id, log.partitions), bytes, source: 'http' })),
    )
  }
}
