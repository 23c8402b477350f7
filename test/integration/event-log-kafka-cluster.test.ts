import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { topicsOf } from '../../src/adapters/kafka/topics.ts'
import type { EventLog, PartitionLease, StepRef } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

/** Longer than a broker is away here, so that whoever waits for it still holds its partition. */
const TTL_MS = 60_000
const [FIRST, SECOND] = [1, 2]

describe.runIf(hasKafka)('two brokers, one of which dies', () => {
  let first: KafkaServer
  let second: Pick<KafkaServer, 'broker' | 'restart' | 'stop'>

  beforeAll(async () => {
    first = await startKafka()
    second = await first.join()
  })
  afterAll(async () => {
    await second.stop()
    await first.stop()
  })

  /** A log whose partition 0 the first broker leads and whose partition 1 the second does; all else lies on the first. */
  const open = async (replicas: number): Promise<EventLog> => {
    const prefix = `test-${randomUUID()}`
    const { inbox, journal, owners, letters, log } = topicsOf(prefix)
    const on = (...leaders: readonly number[]) =>
      leaders.map((leader, partition) => ({
        partition,
        replicas: [leader, FIRST + SECOND - leader].slice(0, replicas),
      }))
    const split = [inbox, journal].map((topic) => ({ topic, replicaAssignment: on(FIRST, SECOND) }))
    const single = [owners, letters, log].map((topic) => ({ topic, replicaAssignment: on(FIRST) }))
    const admin = new Kafka({ brokers: [first.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await eventually(() => admin.createTopics({ topics: [...split, ...single] }))
    await admin.disconnect()
    return openKafkaLog({
      kafka: { brokers: [first.broker, second.broker] },
      prefix,
      partitions: 2,
      clock: realClock,
      newId: randomUUID,
      leaseTtlMs: TTL_MS,
    })
  }

  const behind = (zero: number, one: number) =>
    new Map([
      [0, zero],
      [1, one],
    ])

  const commitSteps = async (lease: PartitionLease, count: number, from: StepRef | null): Promise<StepRef | null> => {
    let head = from
    for (let number = 1; number <= count; number++) {
      const step = nextStep(lease, head)
      await lease.commit(commitOf({ step }))
      head = step
    }
    return head
  }

  it('keeps nobody waiting but its own partitions when nothing is replicated, and these go on once it is back', async () => {
    const log = await open(1)
    const worker = startWorker(log)
    const [well, sick] = [await eventually(() => worker.lease(0)), await eventually(() => worker.lease(1))]
    let waits: Promise<StepRef | null> = Promise.resolve(null)
    await second.restart(true, async () => {
      waits = commitSteps(sick, 1, null)
      const head = await commitSteps(well, 20, null)
      expect((await log.journal(behind(19, 0), 10)).map(({ id }) => id)).toEqual([head?.id])
      await log.publish([message(0, 'a')])
      await eventually(async () => expect(await well.take({ messages: 1, bytes: 10 })).toHaveLength(1))
    })
    const head = await waits
    await eventually(async () => expect((await log.journal(behind(20, 0), 10)).map(({ id }) => id)).toEqual([head?.id]))
    expect([worker.lease(0), worker.lease(1)], 'nobody lost its partition').toEqual([well, sick])
    await worker.stop()
    await log.close()
  })

  it('moves its partitions to the other one when all is replicated, with all that was acknowledged', async () => {
    const log = await open(2)
    const worker = startWorker(log)
    const leases = [await eventually(() => worker.lease(0)), await eventually(() => worker.lease(1))]
    const before = await Promise.all(leases.map((lease) => commitSteps(lease, 5, null)))
    await second.stop()
    await Promise.all(leases.map((lease, index) => commitSteps(lease, 5, before[index] ?? null)))
    const steps = await log.journal(behind(0, 0), 100)
    for (const partition of [0, 1])
      expect(steps.filter((step) => step.partition === partition).map(({ number }) => number)).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
      ])
    await worker.stop()
    await log.close()
  })
})
