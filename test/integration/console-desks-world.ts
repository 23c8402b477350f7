import { randomUUID } from 'node:crypto'
import { memoryLog } from '../../src/adapters/memory/event-log.ts'
import { parseMessage } from '../../src/events/command.ts'
import type { NewFact } from '../../src/events/fact.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Orphan } from '../../src/projections/orphans.ts'
import { rebuild } from '../../src/projections/rebuild.ts'
import { refunds } from '../../src/projections/refunds.ts'
import { sessions } from '../../src/projections/sessions.ts'
import type { ArchivedFact } from '../../src/projections/store.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import {
  escalated,
  failed,
  issued,
  refundRequested,
  requested,
  START_MS,
  started,
  store,
  waived,
} from '../support/facts.ts'
import { burial, commitOf } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { newSession, openWorld } from './http-world.ts'

type Changes = NonNullable<Parameters<typeof openWorld>[0]>

/** What each thing that was planted is called. */
export interface Planted {
  readonly letters: { readonly broken: string; readonly binary: string }
  readonly owed: SessionId
  readonly escalated: SessionId
  readonly paid: SessionId
  readonly missing: SessionId
  readonly orphan: SessionId
}

/** The HTTP side with something to do at every desk: dead letters, refunds, an imbalance, a projection that lags, an orphan. */
export const openDesks = async (changes: Changes = {}) => {
  const log = memoryLog({ clock: realClock, newId: randomUUID, partitions: 1 })
  const worker = startWorker(log)
  const orphan = orphanOf(newSession())
  const published: Uint8Array[] = []
  const world = await openWorld({
    log: {
      partitions: log.partitions,
      letters: log.letters,
      readers: log.readers,
      publish: async (messages) => {
        await log.publish(messages)
        published.push(...messages.map(({ bytes }) => bytes))
      },
    },
    orphans: {
      list: async () => ({ items: [orphan], next: null }),
      row: async (id) => (id === orphan.sessionId ? { sessionId: id, owner: store, requestId: null } : null),
    },
    rebuild: (name) => rebuilding.start(name),
    ...changes,
  })
  const rebuilding = new HeldRebuild(() => world.store)
  const planted = await plant(world, worker, orphan)
  return {
    ...world,
    planted,
    rebuilding,
    /** What the log took, read as its owner would. */
    published: () => published.map((bytes) => parseMessage(bytes, 'http')),
    close: async () => {
      await worker.stop()
      await world.close(0)
    },
  }
}

export type Desks = Awaited<ReturnType<typeof openDesks>>

const orphanOf = (sessionId: SessionId): Orphan => ({
  class: 'orphan_row',
  sessionId,
  channel: 'b2b',
  ownerId: store.storeId,
  requestId: 'req_77',
  since: '2026-01-15T09:30:00.000Z',
  credits: 1,
  settles: false,
  detail: 'no task came for the row',
})

const plant = async (
  world: Awaited<ReturnType<typeof openWorld>>,
  worker: ReturnType<typeof startWorker>,
  orphan: Orphan,
): Promise<Planted> => {
  const die = async (position: string, bytes: string | Uint8Array, reason: string): Promise<string> => {
    const died = burial(0, position, bytes, { at: `2026-01-15T10:00:1${position}.000Z`, reason })
    const lease = await eventually(() => worker.lease(0))
    await lease.commit(commitOf({ deadLetters: [died] }))
    return died.id
  }
  const letters = {
    broken: await die('1', '{"task_id": "17", "channel": "b2b", "prompt": "grün"', 'the message is not JSON'),
    binary: await die('2', Buffer.from([0, 255, 1, 254]), 'the message is not UTF-8'),
  }
  const failing = async (...more: NewFact[]): Promise<SessionId> => {
    const id = await ordered(world)
    await world.happen(id, requested(), started(), failed('internal', 1), refundRequested(), ...more)
    return id
  }
  const owed = await failing()
  const waiting = await failing(escalated(9, START_MS, 'the store has no balance row'))
  const paid = await failing(issued())
  const missing = await failing(issued())
  await failing(waived('overage'))
  const epoch = { number: 1, token: 'of the test' }
  await world.store.history.admit({ log: 'log', partition: 0, epoch, head: 0 })
  await world.store.platform.refund(paid, { partition: 0, epoch: epoch.number })
  await world.project()
  await world.store.queries.reconcile(0)
  // Nobody projects these: the tables lag.
  await world.happen(newSession(), requested(), started())
  if (orphan.sessionId === null) throw new TypeError('the orphan is a row')
  return { letters, owed, escalated: waiting, paid, missing, orphan: orphan.sessionId }
}

const ordered = async ({ store: { producer } }: Awaited<ReturnType<typeof openWorld>>): Promise<SessionId> => {
  const sessionId = newSession()
  await producer.order({
    sessionId,
    owner: store,
    requestId: `req_${sessionId}`,
    imageUrls: ['https://images.example/person.jpg'],
    prompt: '',
    charge: 'account',
  })
  return sessionId
}

/** Rebuilds of the real kind, which stop behind their first batch until the test lets them go on. */
class HeldRebuild {
  readonly #store: () => Awaited<ReturnType<typeof openWorld>>['store']
  readonly #held = Promise.withResolvers<void>()
  #running: Promise<unknown> | null = null

  constructor(opened: () => Awaited<ReturnType<typeof openWorld>>['store']) {
    this.#store = opened
  }

  async start(name: string): Promise<'started' | 'running' | 'unknown'> {
    const projection = [sessions, refunds].find((one) => one.name === name)
    if (projection === undefined) return 'unknown'
    if (this.#running !== null) return 'running'
    const { archive, tables, rebuilds } = this.#store()
    const slowly = { ...archive, read: (after: number) => this.#oneFact(archive.read(after, 1), after) }
    this.#running = rebuild(projection, { archive: slowly, tables, rebuilds }).finally(() => (this.#running = null))
    return 'started'
  }

  goOn(): void {
    this.#held.resolve()
  }

  async #oneFact(read: Promise<ArchivedFact[]>, after: number): Promise<ArchivedFact[]> {
    if (after > 0) await this.#held.promise
    return read
  }
}
