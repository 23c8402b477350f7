import { afterAll, beforeAll, describe, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { complete, holdsAll, isDamaged, repairOne } from '../support/lost-tail.ts'
import { end, type Server, startServer } from '../support/server-process.ts'

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
  const onDatabase = async <Result>(work: (sql: Awaited<ReturnType<typeof openEmbedded>>) => Promise<Result>) => {
    const sql = await openEmbedded(folder)
    try {
      return await work(sql)
    } finally {
      await sql.close()
    }
  }

  it('is noticed by its next owner, and one command repairs it from the archive', async () => {
    const kept = await complete(server)
    await end(server)
    await onDatabase((sql) =>
      sql.script(
        LOG_TABLES.map((table) => `create table wearon.earlier_${table} as table wearon.${table};`).join('\n'),
      ),
    )
    server = await start()
    const lost = await complete(server)
    await end(server)
    await onDatabase((sql) =>
      sql.script(
        LOG_TABLES.map(
          (table) => `truncate wearon.${table} cascade; insert into wearon.${table} table wearon.earlier_${table};`,
        ).join('\n'),
      ),
    )

    server = await start()
    await isDamaged(server, [0])
    await repairOne(folder)

    const since = await complete(server)
    await end(server)
    await holdsAll(folder, [kept, lost, since])
  })
})
