import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { startWorker } from '../support/log-worker.ts'

describe.runIf(hasKafka)('the membership in the consumer group', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  it('is asked for again where kafkajs gives up, because the coordinator is not there yet', async () => {
    const heard: string[] = []
    const log = await openKafkaLog({
      kafka: { brokers: [server.broker] },
      // A broker that nobody joined a group on has no coordinator until somebody asks; without retries kafkajs gives up then.
      memberKafka: { brokers: [server.broker], retry: { retries: 0 } },
      prefix: `test-${randomUUID()}`,
      partitions: 2,
      clock: realClock,
      newId: randomUUID,
      onError: (error) => heard.push(error instanceof Error ? error.name : ''),
    })
    const worker = startWorker(log)
    await eventually(() => expect(worker.leases.size).toBe(2))
    expect(heard).toContain('KafkaJSGroupCoordinatorNotFound')
    await worker.stop()
    await log.close()
  })
})
