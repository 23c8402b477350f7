import { randomUUID } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect, it } from 'vitest'
import { openConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { Step } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { hasRedis } from '../support/redis-server.ts'
import { makeCertificates, startTlsCluster } from '../support/tls-redis.ts'

const PARTITIONS = [0, 1, 2, 3, 4, 5]

it.runIf(hasRedis)('a cluster over TLS is reached by the names for which its certificates were made', async () => {
  const certificates = makeCertificates('DNS:localhost')
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, certificates.authority])
  const cluster = await startTlsCluster(certificates)
  const redis = await openConnection({ url: `rediss://${cluster.host}`, onWarning: () => undefined })
  expect(redis.spansSlots).toBe(false)
  const log = await openRedisLog({ redis, partitions: PARTITIONS.length, clock: realClock, newId: randomUUID })
  const worker = startWorker(log)
  await eventually(() => expect(worker.leases.size).toBe(PARTITIONS.length))
  const written: Step[] = []
  for (const lease of worker.leases.values()) {
    const step = nextStep(lease, null)
    await lease.commit(commitOf({ step }))
    written.push(step)
  }
  const steps = await log.journal(new Map(PARTITIONS.map((partition) => [partition, 0])), 100)
  expect(steps).toEqual(written.toSorted((one, other) => one.partition - other.partition))
  await log.publish(PARTITIONS.map((partition) => message(partition, 'a')))
  for (const lease of worker.leases.values())
    await eventually(async () => expect(await lease.take({ messages: 1, bytes: 10 })).toHaveLength(1))
  await worker.stop()
  await log.close()
  await redis.close()
  await cluster.stop()
  setDefaultCACertificates(trusted)
  await certificates.remove()
})
