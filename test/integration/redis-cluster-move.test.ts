import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import type { PartitionLease, Step } from '../../src/machines/ports/event-log.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep, sessionId, snapshot } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { hasRedis, type RedisCluster, startRedisCluster } from '../support/redis-server.ts'

const PREFIX = 'wearon'

describe.runIf(hasRedis)('a Redis cluster that moves a partition to another node', () => {
  let cluster: RedisCluster
  let redis: RedisConnection

  beforeAll(async () => {
    cluster = await startRedisCluster()
    redis = await openConnection({ url: cluster.url, onWarning: () => undefined })
  })
  afterAll(async () => {
    await redis.close()
    await cluster.stop()
  })

  /** As `redis-cli --cluster reshard` does it, with time for others between its moves. */
  const moveSlotOf = async (key: string, meanwhile: () => Promise<void>) => {
    const source = cluster.nodes.find((node) => node.cli('exists', key).trim() === '1')
    const target = cluster.nodes.find((node) => node !== source)
    if (source === undefined || target === undefined) throw new Error(`no node has ${key}`)
    const slot = source.cli('cluster', 'keyslot', key).trim()
    const [from, to] = [source, target].map((node) => node.cli('cluster', 'myid').trim())
    target.cli('cluster', 'setslot', slot, 'importing', `${from}`)
    source.cli('cluster', 'setslot', slot, 'migrating', `${to}`)
    await meanwhile()
    for (const name of source.cli('cluster', 'getkeysinslot', slot, '100').trim().split('\n')) {
      source.cli('migrate', '127.0.0.1', new URL(target.url).port, name, '0', '5000')
      await meanwhile()
    }
    for (const node of [target, source, ...cluster.nodes]) node.cli('cluster', 'setslot', slot, 'node', `${to}`)
    return target
  }

  it('loses no step and no message, and its owner goes on with the lease that it has', async () => {
    const log = await openRedisLog({ redis, prefix: PREFIX, partitions: 2, clock: realClock, newId: randomUUID })
    const worker = startWorker(log)
    const [moved, other] = await eventually(() => [worker.lease(0), worker.lease(1)] as const)
    const written: Step[] = []
    const elsewhere: Step[] = []
    const over = new AbortController()
    const append = async (lease: PartitionLease, steps: Step[]) => {
      do {
        const step = nextStep(lease, steps.at(-1) ?? null)
        await lease.commit(commitOf({ step, snapshots: [snapshot(sessionId())] }))
        steps.push(step)
      } while (!over.signal.aborted)
    }
    await log.publish([message(0, 'before')])
    const appending = [append(moved, written), append(other, elsewhere)]
    const publishing = log.publish([message(0, 'during')])
    const target = await moveSlotOf(`${PREFIX}:{0}:meta`, async () => {
      const reached = elsewhere.length
      await eventually(() => expect(elsewhere.length).toBeGreaterThan(reached))
    })
    const whenMoved = written.length
    await eventually(() => expect(written.length).toBeGreaterThan(whenMoved))
    over.abort()
    await Promise.all([...appending, publishing])

    expect(target.cli('exists', `${PREFIX}:{0}:meta`).trim()).toBe('1')
    expect(await log.journal(new Map([[0, 0]]), 1_000_000)).toEqual(written)
    const messages = await moved.take({ messages: 10, bytes: 1_000 })
    expect(messages.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['before', 'during'])
    expect(worker.lease(0)).toBe(moved)
    expect(worker.lease(1)).toBe(other)
    await worker.stop()
    await log.close()
  })
})
