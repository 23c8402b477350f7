import { afterAll, beforeAll } from 'vitest'
import { type EmbeddedSql, openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { eventLogContract } from '../contracts/event-log.ts'
import { postgresLogWorld } from '../support/postgres-log-world.ts'

let sql: EmbeddedSql

beforeAll(async () => {
  sql = await openEmbedded(null)
})
afterAll(() => sql.close())

eventLogContract('embedded', async (shape) => {
  await migrate(sql)
  return postgresLogWorld(
    shape,
    () => sql,
    () => sql.script('drop schema wearon cascade'),
  )
})
