import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newTasks, publishAll } from '../../bench/support/task.ts'
import type { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { defaultPolicy } from '../../src/machines/policy.ts'
import type { EventLog, Step } from '../../src/machines/ports/event-log.ts'
import { EffectPool } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { Worker } from '../../src/machines/runtime/worker.ts'
import { SHAPE } from '../contracts/event-log.ts'
import { realClock } from '../support/clock.ts'
import { quietEnvironment } from '../support/environment.ts'
import { eventually } from '../support/eventually.ts'
import { kafkaLogWorld } from '../support/kafka-log-world.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { noHistory } from '../support/no-history.ts'

const PARTITIONS = 8
const TASKS = 10
const BETWEEN_MS = 10
/** Longer than an effect: whoever leaves ends what it began. */
const GRACE_MS = 2_000

/** Which sessions are being worked on, and which were while they were already. */
class Watch {
  readonly twice: SessionId[] = []
  readonly #running = new Set<SessionId>()

  async work(id: SessionId): Promise<void> {
    if (this.#running.has(id)) this.twice.push(id)
    this.#running.add(id)
    await realClock.sleep(5 + Math.random() * 40)
    this.#running.delete(id)
  }
}

interface Member {
  readonly running: number
  leave(): Promise<void>
}

const startMember = (log: EventLog, watch: Watch): Member => {
  const env = { ...quietEnvironment(realClock), newId: () => randomUUID() }
  const rate = new RateShare(null, env.clock)
  const context: ConstructorParameters<typeof Worker>[0] = {
    env,
    log,
    table: sessionTable,
    policy: defaultPolicy,
    history: noHistory,
    generations: new EffectPool(50, rate, env.clock),
    refunds: new EffectPool(4, new RateShare(null, env.clock), env.clock),
    drainMs: GRACE_MS,
    effects: {
      generate: async ({ id }) => {
        await watch.work(id)
        return { kind: 'failed', code: 'moderation_blocked', detail: 'refused' }
      },
      refund: async () => ({ kind: 'error', detail: 'nobody pays here' }),
    },
  }
  const worker = new Worker(context, rate)
  const stop = new AbortController()
  const ended = worker.run(() => {}, stop.signal)
  return {
    get running() {
      return worker.partitions.filter(({ state }) => state === 'running').length
    },
    leave: () => {
      stop.abort()
      return ended
    },
  }
}

const readAll = async (log: EventLog): Promise<Step[]> => {
  const steps: Step[] = []
  const after = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]))
  for (;;) {
    const page = await log.journal(after, 1_000)
    if (page.length === 0) return steps
    for (const { partition, number } of page) after.set(partition, number)
    steps.push(...page)
  }
}

describe.runIf(hasKafka)('members of the group that come and go while tasks flow', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  it("keep every session's facts gapless and in order, and start none twice", async () => {
    const world = kafkaLogWorld({ ...SHAPE, partitions: PARTITIONS }, server.broker)
    const watch = new Watch()
    const { log: producer } = await world.open()
    const join = async () => startMember((await world.open()).log, watch)
    const flow = startFlow(producer)

    const [first, second] = [await join(), await join()]
    await eventually(() => expect([first.running, second.running]).toEqual([4, 4]))
    const third = await join()
    await eventually(() => expect(first.running + second.running + third.running).toBe(PARTITIONS))
    await eventually(() => expect(third.running).toBeGreaterThan(1))
    await first.leave()
    await eventually(() => expect([second.running, third.running]).toEqual([4, 4]))
    const fourth = await join()
    await Promise.all([second.leave(), eventually(() => expect(fourth.running).toBeGreaterThan(1))])
    await eventually(() => expect(third.running + fourth.running).toBe(PARTITIONS))

    const sent = await flow.stop()
    const facts = new Map<SessionId, { seq: number; type: string }[]>()
    await eventually(async () => {
      facts.clear()
      for (const { facts: of } of await readAll(producer))
        for (const { sessionId, seq, type } of of)
          facts.set(sessionId, [...(facts.get(sessionId) ?? []), { seq, type }])
      expect(sent.filter((id) => (facts.get(id)?.length ?? 0) < WHOLE.length)).toEqual([])
    })
    expect(watch.twice).toEqual([])
    expect(facts.size).toBe(sent.length)
    for (const of of facts.values()) {
      expect(of.map(({ seq }) => seq)).toEqual(of.map((_, index) => index + 1))
      // What follows are tries of the refund.
      expect(of.slice(0, WHOLE.length).map(({ type }) => type)).toEqual(WHOLE)
      expect(of.filter(({ type }) => type === 'generation.started')).toHaveLength(1)
    }
    await Promise.all([third.leave(), fourth.leave()])
    await world.close()
  })
})

const WHOLE = ['generation.requested', 'generation.started', 'generation.failed', 'refund.requested']

/** Publishes tasks until it is told to stop; answers the sessions of all of them. */
const startFlow = (log: EventLog) => {
  const sent: SessionId[] = []
  const stopping = new AbortController()
  const flowing = (async () => {
    while (!stopping.signal.aborted) {
      const tasks = newTasks(TASKS)
      await publishAll(log, tasks)
      sent.push(...tasks.map(({ id }) => id))
      await realClock.sleep(BETWEEN_MS)
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await flowing
      return sent
    },
  }
}
