import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { Client } from '../../src/cli/client.ts'
import { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { violations } from '../../src/projections/invariants.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { readEvidence } from '../support/evidence.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

const LOG_TABLES = ['log_partitions', 'log_inboxes', 'log_inbox', 'log_journal', 'log_sessions'] as const

/** The log alone goes back, as after a failover of its server; archive, ledger and pictures stay as they are. */
describe('a log that lost its tail', () => {
  let folder: string
  let server: Server

  beforeAll(async () => {
    folder = await newDataFolder()
    server = await start()
  })
  afterAll(async () => {
    await end(server)
    await removeFolder(folder)
  })

  const start = () => startServer(folder, { PARTITIONS: '1' })
  const complete = async () => {
    const client = new Client(server.url)
    const session = SessionId.parse(await publishDrawn(client))
    await reaches(client, session, 'completed')
    return session
  }
  const onDatabase = async <Result>(work: (sql: Awaited<ReturnType<typeof openEmbedded>>) => Promise<Result>) => {
    const sql = await openEmbedded(folder)
    try {
      return await work(sql)
    } finally {
      await sql.close()
    }
  }

  it('is noticed by its next owner, and one command repairs it from the archive', async () => {
    const kept = await complete()
    await end(server)
    await onDatabase((sql) =>
      sql.script(
        LOG_TABLES.map((table) => `create table wearon.earlier_${table} as table wearon.${table};`).join('\n'),
      ),
    )
    server = await start()
    const lost = await complete()
    await end(server)
    await onDatabase((sql) =>
      sql.script(
        LOG_TABLES.map(
          (table) => `truncate wearon.${table} cascade; insert into wearon.${table} table wearon.earlier_${table};`,
        ).join('\n'),
      ),
    )

    server = await start()
    await eventually(async () => {
      const ready = await fetch(`${server.url}/readyz`)
      expect(await ready.json()).toMatchObject({ damaged_partitions: [0] })
      expect(ready.status).toBe(503)
    })
    const repaired = await wearon(['repair', '0', '--json'], { DATA_DIR: folder })
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(repaired.stdout)).toMatchObject({ restored: 1, kept: 0, voided: 0 })

    const since = await complete()
    await end(server)
    const evidence = await onDatabase((sql) => readEvidence(sql, new Set([kept, lost, since])))
    expect(violations(sessionTable, evidence, { atRest: true })).toEqual([])
    expect([...evidence.facts.keys()].toSorted()).toEqual([kept, lost, since].toSorted())
  })
})
