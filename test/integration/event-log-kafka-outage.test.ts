import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProxy, type Proxy } from '../../chaos/proxy.ts'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

const TTL_MS = 3_000
const SESSION_MS = TTL_MS * 1.5

describe.runIf(hasKafka)('a process that cannot reach Kafka', () => {
  let server: KafkaServer
  let proxy: Proxy

  beforeAll(async () => {
    let port = 0
    proxy = await openProxy(() => port)
    server = await startKafka([proxy.port])
    port = server.behind[0] ?? 0
  })
  afterAll(async () => {
    await proxy.close()
    await server.stop()
  })

  const open = () =>
    openKafkaLog({
      kafka: { brokers: [`127.0.0.1:${proxy.port}`] },
      prefix: `test-${randomUUID()}`,
      partitions: 2,
      clock: realClock,
      newId: randomUUID,
      leaseTtlMs: TTL_MS,
    })

  it('loses its partitions on half-open connections, and holds them again on new ones within seconds', async () => {
    const log = await open()
    const worker = startWorker(log)
    await eventually(() => expect(worker.leases.size).toBe(2))
    const before = new Set(worker.leases.values())
    proxy.hold()
    const published = log.publish([message(0, 'a')])
    // kafkajs would wait for an answer for half a minute.
    await eventually(() => {
      const now = [...worker.leases.values()]
      expect(now.filter((lease) => !before.has(lease))).toHaveLength(2)
    }, 3 * SESSION_MS)
    await published
    const lease = worker.lease(0)
    await lease.commit(commitOf({ step: nextStep(lease, lease.head) }))
    await worker.stop()
    await log.close()
  })

  it('holds its partitions again before its session is over, when the broker was away for longer than a lease', async () => {
    const log = await open()
    const worker = startWorker(log)
    await eventually(() => expect(worker.leases.size).toBe(2))
    await server.restart(true, async () => {
      await eventually(() => expect(worker.leases.size).toBe(0))
    })
    await eventually(() => expect(worker.leases.size).toBe(2), SESSION_MS)
    await worker.stop()
    await log.close()
  })

  it('goes on reading and committing under its lease when the broker was away for less', async () => {
    const log = await open()
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    await log.publish([message(0, 'a')])
    await eventually(async () => expect(await lease.take({ messages: 1, bytes: 10 })).toHaveLength(1))
    proxy.cut()
    await log.publish([message(0, 'b')])
    await eventually(async () => expect(await lease.take({ messages: 1, bytes: 10 })).toHaveLength(1))
    await lease.commit(commitOf({ step: nextStep(lease, lease.head) }))
    expect(worker.lease(0)).toBe(lease)
    await worker.stop()
    await log.close()
  })
})
