import { randomUUID } from 'node:crypto'
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import type { EventLog } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { burial, commitOf } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

/** Our topics take 16 MiB. */
const LARGER_THAN_A_RECORD = 17 * 1024 * 1024

describe.runIf(hasKafka)('dead letters on Kafka', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  const open = (prefix: string) =>
    openKafkaLog({
      kafka: { brokers: [server.broker] },
      prefix,
      partitions: 1,
      clock: realClock,
      newId: randomUUID,
      lettersMax: 3,
      spareLetterRecords: 5,
    })

  /** Everything that a log says of its letters. */
  const told = async ({ letters }: EventLog) => {
    const { items } = await letters.list({ limit: 9 })
    const opened = await Promise.all(items.map(({ id }) => letters.open(id)))
    return {
      items,
      texts: opened.map((letter) => Buffer.from(letter?.bytes ?? []).toString()),
      counts: await letters.counts(),
    }
  }

  it('are kept in part where they are larger than any record, so that what lies behind them goes on', async () => {
    const log = await open(`test-${randomUUID()}`)
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    await lease.commit(commitOf({ deadLetters: [burial(0, '1', 'x'.repeat(LARGER_THAN_A_RECORD))] }))
    const { texts } = await told(log)
    expect(texts.map((text) => text.length)).toEqual([8 * 1024 * 1024])
    await worker.stop()
    await log.close()
  })

  it('that no broker takes fail their commit, instead of being written again for ever', async () => {
    const prefix = `test-${randomUUID()}`
    const log = await open(prefix)
    await limitRecords(`${prefix}.letters`, 1_000)
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    const committing = lease.commit(commitOf({ deadLetters: [burial(0, '1', 'x'.repeat(2_000))] }))
    await expect(committing).rejects.toThrow('larger than')
    await worker.stop()
    await log.close()
  })

  it('are the same after their topic grew long and was written anew', async () => {
    const prefix = `test-${randomUUID()}`
    const log = await open(prefix)
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    const reader = await open(prefix)
    for (let position = 1; position <= 20; position++) {
      const died = burial(0, `${position}`, `text ${position % 5}`, { at: `2026-01-01T00:00:${position + 10}.000Z` })
      await lease.commit(commitOf({ deadLetters: [died] }))
    }
    const [first] = (await reader.letters.list({ limit: 1 })).items
    await reader.letters.mark(first?.id ?? '', {
      state: 'discarded',
      by: 'Ada',
      at: '2026-01-02T00:00:00.000Z',
      reason: 'ours',
      attempts: first?.attempts ?? 0,
    })
    const before = await told(reader)
    expect(before.counts).toEqual({ waiting: 2, replayed: 0, discarded: 1, dropped: 17 })

    await lease.trim(0)
    expect(
      await eventually(async () => {
        const found = await bounds(prefix)
        expect(found.start).toBe(21)
        return found
      }),
    ).toEqual({ start: 21, end: 25 })
    expect(await told(reader)).toEqual(before)
    const late = await open(prefix)
    expect(await told(late)).toEqual(before)

    const again = burial(0, '21', before.texts[2] ?? '', { at: '2026-01-03T00:00:00.000Z' })
    await lease.commit(commitOf({ deadLetters: [again] }))
    await lease.commit(commitOf({ deadLetters: [again] }))
    for (const one of [reader, late])
      expect(await one.letters.open(again.id)).toMatchObject({ attempts: 2, lastSeenAt: again.at, state: 'waiting' })
    await worker.stop()
    await Promise.all([log.close(), reader.close(), late.close()])
  })

  const limitRecords = async (topic: string, bytes: number): Promise<void> => {
    const admin = new Kafka({ brokers: [server.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const configEntries = [{ name: 'max.message.bytes', value: `${bytes}` }]
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    })
    await admin.disconnect()
  }

  const bounds = async (prefix: string): Promise<{ start: number; end: number }> => {
    const admin = new Kafka({ brokers: [server.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const [found] = await admin.fetchTopicOffsets(`${prefix}.letters`)
    await admin.disconnect()
    return { start: Number(found?.low), end: Number(found?.high) }
  }
})
