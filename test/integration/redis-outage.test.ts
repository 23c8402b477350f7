import { randomUUID } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { openRedisLog } from '../../src/adapters/redis/event-log.ts'
import { type EventLog, Fenced } from '../../src/machines/ports/event-log.ts'
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
  const workers: LogWorker[] = []

  const open = async (leaseTtlMs: number, url = server.url): Promise<{ log: EventLog; worker: LogWorker }> => {
    const redis = await openConnection({ url, onWarning: () => undefined })
    opened.push(redis)
    const log = await openRedisLog({ redis, partitions: 2, clock: realClock, newId: randomUUID, leaseTtlMs })
    const worker = startWorker(log)
    workers.push(worker)
    return { log, worker }
  }

  beforeEach(async () => {
    server = await startRedis()
    proxy = await startProxy(server.url)
  })
  afterEach(async () => {
    // What still waits for an answer ends with its connection.
    await Promise.all(opened.splice(0).map((redis) => redis.close()))
    workers.splice(0)
    await proxy.stop()
    await server.stop()
  })

  it('goes on by itself once a killed server is back, hears of arrivals again, and has lost no step', async () => {
    // With `everysec` the server may keep back for a moment what it has acknowledged, when the disk is slow.
    server.cli('config', 'set', 'appendfsync', 'always')
    const { log, worker } = await open(30_000)
    const lease = await eventually(() => worker.lease(0))
    const first = nextStep(lease, null)
    await lease.commit(commitOf({ step: first }))
    let arrivals = 0
    lease.onArrival(() => arrivals++)

    const restarting = server.restart()
    const second = nextStep(lease, first)
    const committing = lease.commit(commitOf({ step: second }))
    await restarting
    await committing
    expect(await eventually(() => log.journal(new Map([[0, 0]]), 10))).toEqual([first, second])

    await eventually(() => log.publish([message(0, 'a')]))
    await eventually(() => expect(arrivals).toBeGreaterThan(0))
    expect(await eventually(() => lease.take(PLENTY))).toHaveLength(1)
  })

  it('goes on after its connections were cut, and repeats the commit that was under way', async () => {
    const { log, worker } = await open(30_000, proxy.url)
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
    const { log, worker } = await open(60_000, proxy.url)
    const lease = await eventually(() => worker.lease(0))
    let arrivals = 0
    lease.onArrival(() => arrivals++)
    proxy.freeze()
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

interface Proxy {
  readonly url: string
  /** Closes all connections; new ones work. */
  cut(): void
  /** All connections stay open and carry nothing more, as when a firewall forgot them; new ones work. */
  freeze(): void
  stop(): Promise<void>
}

const startProxy = async (url: string): Promise<Proxy> => {
  const target = new URL(url)
  const pairs = new Set<readonly [Socket, Socket]>()
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    pairs.add([client, upstream])
    client.pipe(upstream)
    upstream.pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const end = () => {
    for (const socket of [...pairs].flat()) socket.destroy()
    pairs.clear()
  }
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cut: end,
    freeze: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream)
        upstream.unpipe(client)
        client.pause()
        upstream.pause()
      }
    },
    stop: async () => {
      end()
      server.close()
      await sleep(0)
    },
  }
}
