import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { Step } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { hasRedis, type RedisCluster, startRedisCluster } from '../support/redis-server.ts'

const PARTITIONS = [0, 1, 2, 3, 4, 5, 6, 7]
/** As production should have it; and quick to notice. */
const SETTINGS = ['--cluster-require-full-coverage', 'no', '--cluster-node-timeout', '1000']
const TTL_MS = 2_000

describe.runIf(hasRedis)('a Redis cluster of which one node is killed', () => {
  let cluster: RedisCluster
  let redis: RedisConnection

  beforeAll(async () => {
    cluster = await startRedisCluster(SETTINGS)
  })
  afterEach(() => redis.close())
  afterAll(() => cluster.stop())

  // The news come through the first; the log's own record and the members lie on one of them.
  it.each([0, 1, 2])('goes on with the partitions of the others, and with all once node %i is back', async (victim) => {
    const prefix = `test-${randomUUID()}`
    const warnings: string[] = []
    redis = await openConnection({ url: cluster.url, onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toEqual([])
    const options = { redis, prefix, partitions: PARTITIONS.length, clock: realClock, newId: randomUUID }
    const log = await openRedisLog({ ...options, leaseTtlMs: TTL_MS })
    const worker = startWorker(log)
    await eventually(() => expect(worker.leases.size).toBe(PARTITIONS.length))
    const node = cluster.nodes[victim]
    const onNode = PARTITIONS.filter((p) => node?.cli('exists', `${prefix}:{${p}}:meta`).trim() === '1')
    const elsewhere = PARTITIONS.filter((p) => !onNode.includes(p))
    const heads = new Map<number, Step>()
    const append = async (partition: number) => {
      const lease = worker.lease(partition)
      const step = nextStep(lease, heads.get(partition) ?? null)
      await lease.commit(commitOf({ step }))
      heads.set(partition, step)
    }
    await Promise.all(PARTITIONS.map(append))
    const before = new Map(elsewhere.map((partition) => [partition, worker.lease(partition)]))
    const struck = onNode.map((partition) => worker.lease(partition))

    await node?.kill()
    const stuck = struck.map((lease) => lease.commit(commitOf({ head: lease.head?.id ?? null })).catch(() => undefined))
    await Promise.all(elsewhere.map(append))
    await eventually(() => expect(struck.every(({ lost }) => lost.aborted)).toBe(true))
    await Promise.all(stuck)
    for (const partition of elsewhere) expect(worker.lease(partition)).toBe(before.get(partition))
    const arrivals = new Map(elsewhere.map((partition) => [partition, 0]))
    for (const partition of elsewhere)
      worker.lease(partition).onArrival(() => arrivals.set(partition, (arrivals.get(partition) ?? 0) + 1))
    await log.publish(elsewhere.map((partition) => message(partition, 'a')))
    await eventually(() => expect([...arrivals.values()].every((calls) => calls > 0)).toBe(true))
    await Promise.all(elsewhere.map(append))
    const readable = await log.journal(new Map(PARTITIONS.map((partition) => [partition, 0])), 100)
    expect(readable).toHaveLength(3 * elsewhere.length)

    await node?.start()
    await eventually(() => expect(worker.leases.size).toBe(PARTITIONS.length))
    for (const partition of onNode) {
      const head = heads.get(partition)
      expect(worker.lease(partition).head).toEqual({ number: head?.number, id: head?.id })
    }
    await Promise.all(PARTITIONS.map(append))
    await worker.stop()
    await log.close()
  })

  it('is warned of when its settings would stop everybody', async () => {
    const [first] = cluster.nodes
    const warnings: string[] = []
    first?.cli('config', 'set', 'cluster-require-full-coverage', 'yes')
    redis = await openConnection({ url: cluster.url, onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toEqual([expect.stringContaining('cluster-require-full-coverage no')])
  })
})
