import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { memoryLog } from '../../../src/adapters/memory/event-log.ts'
import { openMemoryStore } from '../../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../../src/adapters/memory/store-state.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import type { PartitionLease } from '../../../src/machines/ports/event-log.ts'
import type { History } from '../../../src/machines/ports/history.ts'
import { admit } from '../../../src/machines/runtime/admission.ts'
import { repair } from '../../../src/machines/runtime/repair.ts'
import { archiveJournals } from '../../../src/projections/archive.ts'
import { realClock } from '../../support/clock.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { eventually } from '../../support/eventually.ts'
import { completed, requested, started } from '../../support/facts.ts'
import { startWorker } from '../../support/log-worker.ts'
import { recordedEnvironment } from '../../support/project-memory.ts'
import { Chain, factsOf, newSession } from '../../support/store-world.ts'

/** Many pages of them, and a part of one. */
const SESSIONS = 1_150
/** What hosted Redis takes in one request on its smaller plans is 1 MB. */
const COMMIT_SESSIONS_MAX = 250

it('brings every session of a log that was lost as a whole back, however many there are', async () => {
  const { archive, history } = openMemoryStore(emptyStoreState(), { clock: realClock, rowsOwner: 'ours' })
  const chain = new Chain()
  const [open, closed] = [newSession(), Array.from({ length: SESSIONS - 1 }, newSession)]
  await archive.append('lost', [
    chain.step(...factsOf(open, [requested(), started()])),
    ...closed.map((session) => chain.step(...factsOf(session, [requested(), started(), completed()]))),
  ])

  const log = memoryLog({ clock: realClock, newId: randomUUID, partitions: 1 })
  const worker = startWorker(log)
  const lease = await eventually(() => worker.lease(0))
  const context = { log, history, table: sessionTable, env: quietEnvironment(realClock) }
  const sizes: number[] = []
  const watched: PartitionLease = {
    ...lease,
    commit: async (commit) => {
      sizes.push(commit.snapshots.length + commit.tombstones.length)
      await lease.commit(commit)
    },
  }
  const repaired = await repair(watched, chain.head, context)

  expect(repaired).toMatchObject({ common: 0, restored: SESSIONS, kept: 0, voided: 0 })
  const known = await lease.load([open, ...closed])
  expect(known.get(open)).toMatchObject({ state: 'processing', seq: 2 })
  expect(closed.filter((session) => known.get(session)?.seq !== 3)).toEqual([])
  expect(await history.head(0)).toEqual(repaired.head)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(COMMIT_SESSIONS_MAX)
  await worker.stop()
})

it('lets its owner refund, however soon the archive reads what it wrote', async () => {
  const { archive, history } = openMemoryStore(emptyStoreState(), { clock: realClock, rowsOwner: 'ours' })
  // A partition of the lost log that had an owner, and no session yet: nothing of it is in the archive.
  await history.admit({ log: 'lost', partition: 0, epoch: { number: 9, token: 'of the lost log' }, head: 0 })

  const log = memoryLog({ clock: realClock, newId: randomUUID, partitions: 1 })
  const worker = startWorker(log)
  const lease = await eventually(() => worker.lease(0))
  const { environment, clock } = recordedEnvironment()
  const stop = new AbortController()
  const archiving = archiveJournals(log, archive, { environment, signal: stop.signal })
  const slow: History = {
    ...history,
    mend: async (claim, mending) => {
      await clock.advance(10_000)
      return history.mend(claim, mending)
    },
  }
  await repair(lease, null, { log, history: slow, table: sessionTable, env: quietEnvironment(realClock) })

  const claim = { log: await log.identity(), partition: 0, epoch: lease.epoch, head: 0 }
  expect(await history.admit(claim)).toMatchObject({ admitted: true })
  stop.abort()
  await Promise.all([archiving, worker.stop()])
})

it('is asked for again when it broke off before the archive had its step', async () => {
  const { history } = openMemoryStore(emptyStoreState(), { clock: realClock, rowsOwner: 'ours' })
  const log = memoryLog({ clock: realClock, newId: randomUUID, partitions: 1 })
  const context = { log, history, table: sessionTable, env: quietEnvironment(realClock) }
  const away: History = { ...history, mend: () => Promise.reject(new Error('the database is away')) }
  const held = async <Result>(work: (lease: PartitionLease) => Promise<Result>) => {
    const worker = startWorker(log)
    try {
      return await work(await eventually(() => worker.lease(0)))
    } finally {
      await worker.stop()
    }
  }

  await expect(held((lease) => repair(lease, null, { ...context, history: away }))).rejects.toThrow('away')
  expect(await held((lease) => admit(lease, context))).toEqual({ damage: 'repair_unfinished', archived: null })
  const { head } = await held((lease) => repair(lease, null, context))
  expect(await held((lease) => admit(lease, context))).toEqual({ damage: null, archived: head })
})
