import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EmbeddedSql } from '../../src/adapters/postgres/embedded.ts'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { eventLogContract, type SHAPE } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { realClock } from '../support/clock.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { faulty } from '../support/faulty-sql.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { startWorker } from '../support/log-worker.ts'
import { postgresLogWorld } from '../support/postgres-log-world.ts'

let sql: EmbeddedSql

beforeAll(async () => {
  sql = await newEmbedded()
})
afterAll(() => sql.close())

const openWorld = async (shape: typeof SHAPE) => {
  await freshDatabase(sql)
  return postgresLogWorld(
    shape,
    () => sql,
    async () => {},
  )
}

eventLogContract('embedded', openWorld)
journalReadersContract('embedded', openWorld)

/** Far longer than a process needs to come up on a busy machine. */
const TTL_MS = 60_000

it('the embedded event log gives a process that is alone at once what a killed one held', async () => {
  await freshDatabase(sql)
  const open = (on: EmbeddedSql | ReturnType<typeof faulty>) =>
    openPostgresLog({ sql: on, partitions: 4, clock: realClock, newId: randomUUID, leaseTtlMs: TTL_MS, alone: true })
  const connection = faulty(sql)
  const killed = startWorker(await open(connection))
  await eventually(() => expect(killed.leases.size).toBe(4))
  const before = killed.lease(0).epoch.number
  connection.cut()
  const log = await open(sql)
  const heir = startWorker(log)
  await eventually(() => expect(heir.leases.size).toBe(4), TTL_MS / 3)
  expect(heir.lease(0).epoch.number).toBeGreaterThan(before)
  await heir.stop()
  await log.close()
})
