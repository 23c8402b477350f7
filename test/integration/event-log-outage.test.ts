import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgresLog } from '../../src/adapters/postgres/event-log.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import { realClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { commitOf, message, nextStep } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'

describe.runIf(hasPostgres)('the postgres event log, when its server is killed', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  it('goes on by itself once the server is back, hears of arrivals again, and has lost no step', async () => {
    const sql = openServer({ url: await server.database() })
    await migrate(sql)
    const log = await openPostgresLog({ sql, partitions: 2, clock: realClock, newId: randomUUID, leaseTtlMs: 30_000 })
    const worker = startWorker(log)
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
    expect(await log.journal(new Map([[0, 0]]), 10)).toEqual([first, second])

    await eventually(() => log.publish([message(0, 'a')]))
    await eventually(() => expect(arrivals).toBeGreaterThan(0))
    expect(await eventually(() => lease.take({ messages: 9, bytes: 1_000 }))).toHaveLength(1)
    await worker.stop()
    await log.close()
    await sql.close()
  })
})
