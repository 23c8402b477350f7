import { describe, expect, it } from 'vitest'
import { memoryLog } from '../../../src/adapters/memory/event-log.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import type { GenerationOutcome } from '../../../src/machines/effects/outcome.ts'
import { defaultPolicy } from '../../../src/machines/policy.ts'
import type { History } from '../../../src/machines/ports/history.ts'
import { EffectPool } from '../../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../../src/machines/runtime/worker.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { otherSessionId, result, sessionId, user } from '../../support/facts.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A minute for every try, so that what waits for a slot can be told from what has one. */
const TRY_MS = 60_000

const noHistory: History = {
  admit: async () => ({ admitted: true, archived: null }),
  knows: async () => new Set(),
  head: async () => null,
  step: async () => null,
  sessionsAfter: async () => new Map(),
  mend: async () => {},
}

/** A worker of one partition, what its journal holds after a while, and how many tries it began. */
const work = async (concurrency: number, sessions: readonly string[], first?: GenerationOutcome) => {
  const clock = new VirtualClock()
  const env = quietEnvironment(clock)
  const log = memoryLog({ partitions: 1, clock, newId: () => env.newId() })
  const rate = new RateShare(null, clock)
  const stop = new AbortController()
  let tries = 0
  const worker = new Worker(
    {
      env,
      table: sessionTable,
      policy: defaultPolicy,
      log,
      history: noHistory,
      drainMs: 0,
      generations: new EffectPool(concurrency, rate, clock),
      refunds: new EffectPool(concurrency, rate, clock),
      effects: {
        generate: async (_session, signal) => {
          tries += 1
          if (first !== undefined && tries === 1) return first
          await clock.sleep(TRY_MS, signal)
          return { kind: 'completed', result }
        },
        refund: async () => ({ kind: 'error', detail: 'nothing fails here' }),
      },
    },
    rate,
  )
  await log.publish(sessions.map((id) => ({ partition: 0, bytes: task(id, clock), source: 'inbox' })))
  const running = worker.run(() => {}, stop.signal)
  await clock.advance(TRY_MS - 1)
  const steps = await log.journal(new Map([[0, 0]]), 100)
  stop.abort()
  await clock.advance(TRY_MS)
  await running
  return { steps: steps.map(({ facts }) => facts.map(({ type }) => type)), tries }
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

describe('a new session', () => {
  it('starts in the step that it comes in, when a slot is free', async () => {
    expect((await work(1, [sessionId])).steps).toEqual([['generation.requested', 'generation.started']])
  })

  it('starts once, however often its task lies in the inbox', async () => {
    const { steps, tries } = await work(4, [sessionId, sessionId, sessionId])
    expect([steps, tries]).toEqual([[['generation.requested', 'generation.started']], 1])
  })

  it('waits when the slots are taken', async () => {
    const { steps, tries } = await work(1, [sessionId, otherSessionId])
    expect(steps).toEqual([['generation.requested', 'generation.requested', 'generation.started']])
    expect(tries).toBe(1)
  })

  it('waits out its time when it is put back, although a slot is free', async () => {
    const limited = { kind: 'failed', code: 'rate_limited', detail: '', retryAfterMs: 2 * TRY_MS } as const
    const { steps } = await work(2, [sessionId], limited)
    expect(steps).toEqual([['generation.requested', 'generation.started'], ['generation.deferred']])
  })
})
