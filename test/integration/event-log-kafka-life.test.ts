import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KafkaLogOptions, openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import type { EventLog, Step, StepRef } from '../../src/machines/ports/event-log.ts'
import { logOutageLaw } from '../contracts/log-outage.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { outsideReader } from '../support/kafka-outside-reader.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { commitOf, message, nextStep, sessionId, snapshot, tombstone } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'

const TTL_MS = 1_500

/** An owner in a process of its own, and what it said it committed. */
class Holder {
  readonly committed: string[] = []
  readonly lines: string[] = []
  readonly #child: ChildProcess

  constructor(...args: readonly string[]) {
    const script = fileURLToPath(new URL('../support/hold-kafka.ts', import.meta.url))
    this.#child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (this.#child.stdout === null) throw new Error('the holder says nothing')
    createInterface(this.#child.stdout).on('line', (line) => {
      this.lines.push(line)
      const [said, , id = ''] = line.split(' ')
      if (said === 'committed') this.committed.push(id)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }
}

describe.runIf(hasKafka)('the kafka event log', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  const open = (prefix: string, options: Partial<KafkaLogOptions> = {}) =>
    openKafkaLog({
      kafka: { brokers: [server.broker] },
      prefix,
      partitions: 2,
      clock: realClock,
      newId: randomUUID,
      leaseTtlMs: TTL_MS,
      ...options,
    })

  it('leaves no connection behind where it cannot be opened', async () => {
    const sockets: Socket[] = []
    const opening = open(`test-${randomUUID()}`, {
      kafka: {
        brokers: [server.broker],
        socketFactory: ({ host, port, onConnect }) => {
          const socket = connect({ host, port }, onConnect)
          sockets.push(socket)
          return socket
        },
      },
      decorate: () => () => Promise.reject(new Error('no answer')),
    })
    await expect(opening).rejects.toThrow('no answer')
    expect(sockets).not.toEqual([])
    await eventually(() => expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(0))
  })

  const readAll = async (log: EventLog): Promise<Step[]> => {
    const steps: Step[] = []
    const after = new Map([
      [0, 0],
      [1, 0],
    ])
    for (;;) {
      const page = await log.journal(after, 200)
      if (page.length === 0) return steps
      for (const { partition, number } of page) after.set(partition, number)
      steps.push(...page)
    }
  }

  it('lets exactly one commit of two processes, one of which was stopped past its session and goes on', async () => {
    const prefix = `test-${randomUUID()}`
    const args = [server.broker, prefix, '2', `${TTL_MS}`] as const
    const stopped = new Holder(...args)
    await eventually(() => expect(stopped.committed.length).toBeGreaterThan(50))
    const heir = new Holder(...args)
    stopped.signal('SIGSTOP')
    const log = await open(prefix)
    await eventually(() => expect(heir.lines.filter((line) => line.startsWith('owns'))).toHaveLength(2))
    await eventually(() => expect(heir.committed.length).toBeGreaterThan(50))
    stopped.signal('SIGCONT')
    await eventually(() => expect(stopped.lines.some((line) => line.startsWith('Fenced'))).toBe(true))
    const before = heir.committed.length
    await eventually(() => expect(heir.committed.length).toBeGreaterThan(before + 50))
    await Promise.all([stopped.end(), heir.end()])

    const steps = await readAll(log)
    const ids = new Set(steps.map(({ id }) => id))
    expect([...stopped.committed, ...heir.committed].filter((id) => !ids.has(id))).toEqual([])
    for (const partition of [0, 1]) {
      const own = steps.filter((step) => step.partition === partition)
      expect(own.map(({ number }) => number)).toEqual(own.map((_, index) => index + 1))
      expect(own.slice(1).map(({ previous }) => previous)).toEqual(own.slice(0, -1).map(({ id }) => id))
    }
    await log.close()
  })

  it('drops what lies before a checkpoint and behind all readers, and the next owner knows all that was', async () => {
    const prefix = `test-${randomUUID()}`
    const log = await open(prefix, { checkpointBytes: 1_000, tombstonesMax: 3 })
    const worker = startWorker(log)
    const lease = await eventually(() => worker.lease(0))
    await log.publish([message(0, 'a'), message(0, 'b')])
    const [a] = await eventually(async () => {
      const taken = await lease.take({ messages: 1, bytes: 10 })
      expect(taken).toHaveLength(1)
      return taken
    })
    const [kept, closed] = [sessionId(), sessionId()]
    let head: StepRef | null = null
    const commit = async (parts: Parameters<typeof commitOf>[0]) => {
      const step = nextStep(lease, head)
      await lease.commit(commitOf({ ...parts, step, head: step.previous }))
      head = step
    }
    await commit({ inbox: a?.position ?? null, snapshots: [snapshot(kept), snapshot(closed)] })
    for (let number = 2; number <= 20; number++) await commit({})
    await commit({ tombstones: [tombstone(closed)] })
    const reader = outsideReader(server.broker, prefix, 'slow')
    await reader.register()
    await reader.report(0, 21)
    await lease.trim(10)
    expect(await bounds(prefix), 'no checkpoint yet that lies before step 11').toMatchObject({ start: 0 })
    await lease.trim(21)
    expect(await bounds(prefix), 'a reader has not read the checkpoint yet').toMatchObject({ start: 0 })
    await commit({})
    await reader.report(0, 22)
    await lease.trim(21)
    const { start, end } = await bounds(prefix)
    expect(start).toBeGreaterThan(20)
    expect(end - start).toBeLessThan(6)
    await worker.stop()
    await reader.close()

    const other = await open(prefix)
    const heir = startWorker(other)
    const next = await eventually(() => heir.lease(0))
    expect(next.head).toMatchObject({ number: 22 })
    expect(await next.load([kept, closed])).toEqual(
      new Map<unknown, unknown>([
        [kept, snapshot(kept)],
        [closed, tombstone(closed)],
      ]),
    )
    const [b] = await eventually(async () => {
      const taken = await next.take({ messages: 9, bytes: 100 })
      expect(taken).toHaveLength(1)
      return taken
    })
    expect(Buffer.from(b?.bytes ?? []).toString()).toBe('b')
    expect((await other.journal(new Map([[0, 21]]), 100)).map(({ number }) => number)).toEqual([22])
    expect((await log.journal(new Map([[0, 0]]), 100)).map(({ number }) => number)).toEqual([22])
    await heir.stop()
    await Promise.all([log.close(), other.close()])
  })

  logOutageLaw(async () => {
    const log = await open(`test-${randomUUID()}`, { leaseTtlMs: 30_000 })
    return { log, restart: () => server.restart(), close: () => log.close() }
  })

  const bounds = async (prefix: string): Promise<{ start: number; end: number }> => {
    const admin = new Kafka({ brokers: [server.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets(`${prefix}.journal`)
    await admin.disconnect()
    const found = offsets.find(({ partition }) => partition === 0)
    return { start: Number(found?.low), end: Number(found?.high) }
  }
})
