import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProxy, type Proxy } from '../../chaos/proxy.ts'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { createLog } from '../../src/adapters/redis/create-log.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import { logKeys } from '../../src/adapters/redis/keys.ts'
import { openNews } from '../../src/adapters/redis/log-news.ts'
import { partitionCalls } from '../../src/adapters/redis/partition-calls.ts'
import { type EventLog, Fenced } from '../../src/machines/ports/event-log.ts'
import { logOutageLaw } from '../contracts/log-outage.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { type LogWorker, startWorker } from '../support/log-worker.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'

const PLENTY = { messages: 9, bytes: 1_000 }
const META = 'wearon:{0}:meta'

describe.runIf(hasRedis)('the redis event log', () => {
  let server: RedisServer
  let proxy: Proxy
  const opened: RedisConnection[] = []

  const openLog = async (leaseTtlMs: number, url = server.url): Promise<EventLog> => {
    const redis = await openConnection({ url, onWarning: () => undefined })
    opened.push(redis)
    return openRedisLog({ redis, partitions: 2, clock: realClock, newId: randomUUID, leaseTtlMs })
  }
  const open = async (leaseTtlMs: number, url = server.url): Promise<{ log: EventLog; worker: LogWorker }> => {
    const log = await openLog(leaseTtlMs, url)
    return { log, worker: startWorker(log) }
  }
  const throughProxy = () => `redis://127.0.0.1:${proxy.port}`

  beforeEach(async () => {
    server = await startRedis()
    proxy = await openProxy(() => Number(new URL(server.url).port))
  })
  afterEach(async () => {
    // What still waits for an answer ends with its connection.
    await Promise.all(opened.splice(0).map((redis) => redis.close()))
    await proxy.close()
    await server.stop()
  })

  logOutageLaw(async () => {
    // With `everysec` the server may keep back for a moment what it has acknowledged, when the disk is slow.
    server.cli('config', 'set', 'appendfsync', 'always')
    const log = await openLog(30_000)
    return { log, restart: () => server.restart(), close: () => log.close() }
  })

  it('says that it cannot look for news', async () => {
    const errors: unknown[] = []
    const redis = await openConnection({ url: server.url, onWarning: () => undefined })
    opened.push(redis)
    const keys = logKeys('wearon', 2)
    const { identity } = await createLog(redis, keys, 2, randomUUID)
    const calls = partitionCalls(redis, keys, identity)
    const onError = (error: unknown) => errors.push(error)
    const news = await openNews({ redis, calls, keys, partitions: 2, clock: realClock, pollMs: 10, onError })
    news.onGrowth(() => undefined)
    await redis.close()
    await eventually(() => expect(errors).toContainEqual(new Error('Connection is closed.')))
    await news.close()
  })

  it('looks for messages of whose arrival nobody heard, and wakes nobody whose inbox is worked off', async () => {
    const redis = await openConnection({ url: server.url, onWarning: () => undefined })
    opened.push(redis)
    const keys = logKeys('wearon', 3)
    const { identity } = await createLog(redis, keys, 3, randomUUID)
    const calls = partitionCalls(redis, keys, identity)
    const news = await openNews({ redis, calls, keys, partitions: 3, clock: realClock, pollMs: 10, onError: () => {} })
    const arrived: number[] = []
    for (const partition of [0, 1, 2]) news.onArrival(partition, () => arrived.push(partition))
    const inbox = (partition: number) => keys.partition(partition).inbox
    server.cli(
      'eval',
      "redis.call('xadd', KEYS[1], '*', 'task', 'a'); redis.call('xtrim', KEYS[1], 'maxlen', 0)",
      '1',
      inbox(0),
    )
    server.cli('xadd', inbox(1), '*', 'task', 'b')
    await eventually(() => expect(arrived).toContain(1))
    server.cli('xadd', inbox(2), '*', 'task', 'c')
    await eventually(() => expect(arrived).toContain(2))
    // Once for each: what waits is news only the first time.
    expect(arrived).toEqual([1, 2])
    await news.close()
  })

  it('goes on after its connections were cut, and repeats the commit that was under way', async () => {
    const { log, worker } = await open(30_000, throughProxy())
    const lease = await eventually(() => worker.lease(0))
    const first = nextStep(lease, null)
    const committing = lease.commit(commitOf({ step: first }))
    proxy.cut()
    await committing
    const second = nextStep(lease, first)
    await lease.commit(commitOf({ step: second }))
    expect(await eventually(() => log.journal(new Map([[0, 0]]), 10))).toEqual([first, second])
  })

  it('notices connections that only look alive, and replaces them', async () => {
    const { log, worker } = await open(60_000, throughProxy())
    const lease = await eventually(() => worker.lease(0))
    let arrivals = 0
    lease.onArrival(() => arrivals++)
    proxy.hold()
    const step = nextStep(lease, null)
    await lease.commit(commitOf({ step }))
    expect(await log.journal(new Map([[0, 0]]), 10)).toEqual([step])
    const other = await open(60_000)
    const before = arrivals
    await other.log.publish([message(0, 'a')])
    await eventually(() => expect(arrivals).toBeGreaterThan(before))
  })

  it('is not taken for itself when it was flushed: owners stop, nothing is written, the keeper says why', async () => {
    const { log, worker } = await open(800)
    const lease = await eventually(() => worker.lease(0))
    server.cli('flushall')
    await expect(lease.commit(commitOf({ step: nextStep(lease, null) }))).rejects.toThrow(Fenced)
    await expect(log.publish([message(0, 'a')])).rejects.toThrow(/gone or was replaced/)
    await expect(log.identity()).rejects.toThrow(/gone or was replaced/)
    await expect(log.journal(new Map([[0, 0]]), 1)).rejects.toThrow(/gone or was replaced/)
    await expect(log.letters.list({ limit: 1 })).rejects.toThrow(/gone or was replaced/)
    await eventually(() => expect(lease.lost.aborted).toBe(true))
    const owner = { id: randomUUID(), onLease: () => Promise.resolve() }
    await expect(log.own(owner, new AbortController().signal)).rejects.toThrow(/gone or was replaced/)
    expect(server.cli('keys', '*').trim()).toBe('')
  })

  it('that was created anew in its place is another one', async () => {
    const { log } = await open(800)
    const identity = await log.identity()
    server.cli('flushall')
    const other = await open(800)
    expect(await other.log.identity()).not.toBe(identity)
    await expect(log.publish([message(0, 'a')])).rejects.toThrow(/gone or was replaced/)
  })

  it('keeps its identity when only one partition or its own record was lost', async () => {
    const { log, worker } = await open(800)
    const identity = await log.identity()
    const lease = await eventually(() => worker.lease(0))
    await lease.commit(commitOf({ step: nextStep(lease, null) }))
    server.cli('del', 'wearon:{log}:meta')
    expect(await (await open(800)).log.identity()).toBe(identity)
    server.cli('del', META)
    await expect(log.publish([message(0, 'a')])).rejects.toThrow(/gone or was replaced/)
    await open(800)
    await log.publish([message(0, 'a')])
    expect(await log.identity()).toBe(identity)
  })

  describe('put back to an earlier moment under its owner', () => {
    it('ends the lease of an owner that asks for nothing', async () => {
      const { worker } = await open(800)
      const lease = await eventually(() => worker.lease(0))
      await lease.commit(commitOf({ step: nextStep(lease, null) }))
      server.cli('hset', META, 'number', '0', 'head', '')
      await eventually(() => expect(lease.lost.aborted).toBe(true))
    })

    it('refuses a commit that would move the position over messages that are there again', async () => {
      const { log, worker } = await open(30_000)
      const lease = await eventually(() => worker.lease(0))
      for (const text of ['a', 'b']) await log.publish([message(0, text)])
      const [a, b] = await eventually(() => twoFrom(lease.take(PLENTY)))
      await lease.commit(commitOf({ inbox: b?.position ?? null }))
      server.cli('hset', META, 'consumed', a?.position ?? '')
      await log.publish([message(0, 'c')])
      const [c] = await eventually(() => lease.take(PLENTY))
      await expect(lease.commit(commitOf({ inbox: c?.position ?? null }))).rejects.toThrow(Fenced)
    })

    it('refuses a commit of messages that are not there any more', async () => {
      const { log, worker } = await open(30_000)
      const lease = await eventually(() => worker.lease(0))
      for (const text of ['a', 'b']) await log.publish([message(0, text)])
      const [, b] = await eventually(() => twoFrom(lease.take(PLENTY)))
      server.cli('xdel', 'wearon:{0}:inbox', b?.position ?? '')
      await log.publish([message(0, 'c')])
      await expect(lease.commit(commitOf({ inbox: b?.position ?? null }))).rejects.toThrow(Fenced)
    })

    it('gives its next owner a later epoch than any before', async () => {
      const { worker } = await open(800)
      const { epoch } = await eventually(() => worker.lease(0))
      server.cli('hset', META, 'epoch', '1', 'owner', '', 'token', '')
      await eventually(() => expect(worker.lease(0).epoch.token).not.toBe(epoch.token))
      expect(worker.lease(0).epoch.number).toBeGreaterThan(epoch.number)
    })
  })

  it('follows its journal with what any Redis client reads', async () => {
    const { worker } = await open(30_000)
    const lease = await eventually(() => worker.lease(0))
    const step = nextStep(lease, null)
    await lease.commit(commitOf({ step }))
    const [id, , text] = server.cli('xrange', 'wearon:{0}:journal', '(0-0', '+').split('\n')
    expect(id).toBe('1-0')
    expect(JSON.parse(text ?? '')).toEqual(step)
  })
})

const twoFrom = async <Message>(taking: Promise<Message[]>): Promise<Message[]> => {
  const messages = await taking
  expect(messages).toHaveLength(2)
  return messages
}
