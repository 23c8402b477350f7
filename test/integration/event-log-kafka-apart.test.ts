import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import type { StepRef } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { commitOf, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

describe.runIf(hasKafka)('a partition that Kafka refuses', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  it('waits alone: the others commit, and it goes on once it is taken again', async () => {
    let refused: number | null = null
    let tornAlong = 0
    const log = await openKafkaLog({
      kafka: { brokers: [server.broker] },
      prefix: `test-${randomUUID()}`,
      partitions: 2,
      clock: realClock,
      newId: randomUUID,
      leaseTtlMs: 30_000,
      // As a partition with too few replicas makes a request fail.
      decorate: (send) => async (parcels) => {
        const messages = parcels.filter(({ topic }) => topic.endsWith('.journal'))
        const isRefused = messages.some(({ partition }) => partition === refused)
        if (isRefused && messages.length > 1) tornAlong++
        if (isRefused) throw Object.assign(new Error('too few replicas'), { type: 'NOT_ENOUGH_REPLICAS' })
        return send(parcels)
      },
    })
    const worker = startWorker(log)
    const [sick, well] = [await eventually(() => worker.lease(0)), await eventually(() => worker.lease(1))]
    refused = 0
    const waiting = nextStep(sick, null)
    const waits = sick.commit(commitOf({ step: waiting }))
    let head: StepRef | null = null
    for (let number = 1; number <= 50; number++) {
      const step = nextStep(well, head)
      await well.commit(commitOf({ step }))
      head = step
    }
    expect(await log.journal(new Map([[0, 0]]), 10)).toEqual([])
    expect(tornAlong, 'what is refused does not travel with the others again').toBeLessThanOrEqual(1)
    refused = null
    await waits
    expect(await log.journal(new Map([[0, 0]]), 10)).toEqual([waiting])
    expect((await log.journal(new Map([[1, 49]]), 10)).map(({ id }) => id)).toEqual([head?.id])
    await worker.stop()
    await log.close()
  })
})
