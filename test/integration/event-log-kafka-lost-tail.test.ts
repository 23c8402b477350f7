import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KafkaLogOptions, openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import type { Clock } from '../../src/machines/ports/environment.ts'
import { type EventLog, Fenced, type PartitionLease, type Step } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { cutTail } from '../support/kafka-cut.ts'
import { Freezer } from '../support/kafka-log-world.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'

const ALL = { messages: 100, bytes: 100_000 }
/** What happens to which partition. */
const [SHORT_JOURNAL, GROWN_INBOX, SHORT_INBOX, WHOLE] = [0, 1, 2, 3] as const

/** Its beats are further apart than a commit that is repeated waits. */
const SHORT_TTL_MS = 2_400

/** Once it is stopped, its process beats no more and its leases last; what is shorter goes on. */
const stoppable = (): Clock & { stop(): void } => {
  let stoppedAt: number | null = null
  return {
    now: () => stoppedAt ?? realClock.now(),
    sleep: (ms, signal) =>
      stoppedAt !== null && ms >= SHORT_TTL_MS / 4 ? new Promise(() => {}) : realClock.sleep(ms, signal),
    stop: () => {
      stoppedAt = realClock.now()
    },
  }
}

/** Topics that are cut back while their broker is down, as a power cut or a restored volume does it. */
describe.runIf(hasKafka)('a log on Kafka that lost its tail', () => {
  const [prefix, refilled] = [`test-${randomUUID()}`, `test-${randomUUID()}`]
  const errors: string[] = []
  const before = new Map<number, PartitionLease>()
  let server: KafkaServer
  let log: EventLog
  let worker: LogWorker
  let silent: EventLog
  let stale: PartitionLease
  let steps: Step[]

  beforeAll(async () => {
    server = await startKafka()
    // Long, so that no lease ends because its broker was away.
    log = await open(prefix, 4, 20_000)
    worker = startWorker(log)
    for (const partition of [SHORT_JOURNAL, GROWN_INBOX, SHORT_INBOX, WHOLE])
      before.set(partition, await eventually(() => worker.lease(partition)))
    for (const partition of [GROWN_INBOX, SHORT_INBOX, WHOLE]) {
      await publish(partition, 'a', 'b', 'c')
      await consume(worker.lease(partition), 3)
    }
    await append(worker.lease(SHORT_JOURNAL), 2)
    const [clock, membership] = [stoppable(), new Freezer()]
    silent = await open(refilled, 1, SHORT_TTL_MS, {
      clock,
      memberKafka: { brokers: [server.broker], socketFactory: membership.socketFactory },
    })
    stale = await eventually(startWorkerOf(silent))
    steps = await append(stale, 3)
    clock.stop()
    membership.freeze()
    await server.restart(false, async (folder) => {
      await cutTail(folder, `${prefix}.journal`, SHORT_JOURNAL, 2)
      await cutTail(folder, `${prefix}.inbox`, GROWN_INBOX, 1)
      await cutTail(folder, `${prefix}.inbox`, SHORT_INBOX, 1)
      await cutTail(folder, `${refilled}.journal`, 0, 0)
    })
  })
  afterAll(async () => {
    await worker.stop()
    await log.close()
    await server.stop()
  })

  const open = (prefixOf: string, partitions: number, leaseTtlMs: number, options: Partial<KafkaLogOptions> = {}) =>
    openKafkaLog({
      kafka: { brokers: [server.broker] },
      prefix: prefixOf,
      partitions,
      clock: realClock,
      newId: randomUUID,
      leaseTtlMs,
      onError: (error) => errors.push(String(error)),
      ...options,
    })
  const startWorkerOf = (of: EventLog) => {
    const started = startWorker(of)
    return () => started.lease(0)
  }
  const append = async (owned: PartitionLease, count: number) => {
    const appended: Step[] = []
    for (let number = 1; number <= count; number++) {
      const step = nextStep(owned, appended.at(-1) ?? null)
      await owned.commit(commitOf({ step }))
      appended.push(step)
    }
    return appended
  }
  const publish = async (partition: number, ...texts: readonly string[]) => {
    for (const text of texts) await eventually(() => log.publish([message(partition, text)]))
  }
  const consume = async (owned: PartitionLease, count: number) => {
    const texts: string[] = []
    await eventually(async () => {
      const taken = await owned.take(ALL)
      texts.push(...taken.map(({ bytes }) => Buffer.from(bytes).toString()))
      if (taken.length > 0) await owned.commit(commitOf({ inbox: taken.at(-1)?.position ?? null }))
      expect(texts.length).toBeGreaterThanOrEqual(count)
    })
    return texts
  }
  const nextLease = (partition: number) =>
    eventually(() => {
      const lease = worker.lease(partition)
      expect(lease.epoch.token).not.toBe(before.get(partition)?.epoch.token)
      return lease
    })

  it('ends the lease of an owner that asks for nothing, says why, and goes on from what is there', async () => {
    const next = await nextLease(SHORT_JOURNAL)
    expect(before.get(SHORT_JOURNAL)?.lost.aborted).toBe(true)
    expect(errors.join()).toContain(`${prefix}.journal lost its tail: record 2 of partition ${SHORT_JOURNAL}`)
    expect(next.head).toMatchObject({ number: 1 })
  })

  it('hands out what took the place of lost messages, also where the inbox has grown beyond them', async () => {
    await publish(GROWN_INBOX, 'w', 'x', 'y', 'z')
    expect(await consume(await nextLease(GROWN_INBOX), 5)).toEqual(['a', 'w', 'x', 'y', 'z'])
    expect(errors.join()).toContain(`${prefix}.inbox lost its tail`)
  })

  it('skips no message of an inbox that is shorter than what was consumed of it', async () => {
    await publish(SHORT_INBOX, 'x')
    expect(await consume(await nextLease(SHORT_INBOX), 2)).toEqual(['a', 'x'])
  })

  it('keeps the lease of an owner whose topics lost nothing, and hands out nothing twice', async () => {
    const owned = worker.lease(WHOLE)
    await publish(WHOLE, 'd')
    expect(await consume(owned, 1)).toEqual(['d'])
    expect(owned.epoch).toEqual(before.get(WHOLE)?.epoch)
  })

  it('refuses a commit behind steps that are gone, also where those of others fill their place', async () => {
    const heirs = await open(refilled, 1, SHORT_TTL_MS)
    const heir = await eventually(startWorkerOf(heirs))
    expect(heir.head).toBeNull()
    const own = await append(heir, 3)
    await expect(stale.commit(commitOf({ step: nextStep(stale, steps[2] ?? null) }))).rejects.toThrow(
      new Fenced('the journal of partition 0 lost its tail'),
    )
    expect(await heirs.journal(new Map([[0, 0]]), 10)).toEqual(own)
    expect(await silent.journal(new Map([[0, 0]]), 10), 'a reader that had come further').toEqual(own)
    await Promise.all([heirs.close(), silent.close()])
  })
})
