import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { memoryLog } from '../../../src/adapters/memory/event-log.ts'
import { openMemoryStore } from '../../../src/adapters/memory/store.ts'
import { emptyStoreState } from '../../../src/adapters/memory/store-state.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import type { PartitionLease } from '../../../src/machines/ports/event-log.ts'
import { repair } from '../../../src/machines/runtime/repair.ts'
import { realClock } from '../../support/clock.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { eventually } from '../../support/eventually.ts'
import { completed, requested, started } from '../../support/facts.ts'
import { startWorker } from '../../support/log-worker.ts'
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
