import { afterAll, beforeAll } from 'vitest'
import type { EmbeddedSql } from '../../src/adapters/postgres/embedded.ts'
import { platformContract } from '../contracts/platform.ts'
import { reconciliationContract } from '../contracts/reconciliation.ts'
import { settlementContract } from '../contracts/settlement.ts'
import { storeContract } from '../contracts/store.ts'
import { newEmbedded } from '../support/data-folder.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { sqlStoreWorld } from '../support/sql-store-world.ts'

let sql: EmbeddedSql

beforeAll(async () => {
  sql = await newEmbedded()
})
afterAll(() => sql.close())

const openWorld = async () => {
  await freshDatabase(sql)
  return sqlStoreWorld(
    () => sql,
    async () => {},
  )
}

platformContract('embedded', openWorld)
settlementContract('embedded', openWorld)
reconciliationContract('embedded', openWorld)
storeContract('embedded', openWorld)
