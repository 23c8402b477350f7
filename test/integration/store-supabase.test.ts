import { afterAll, beforeAll, describe } from 'vitest'
import { platformContract } from '../contracts/platform.ts'
import { reconciliationContract } from '../contracts/reconciliation.ts'
import { settlementContract } from '../contracts/settlement.ts'
import { storeContract } from '../contracts/store.ts'
import { hasPostgres } from '../support/postgres-server.ts'
import { type Project, realProject, startProject } from '../support/postgrest-world.ts'

/**
 * Runs against the double, or against a real project: SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY name it, DATABASE_URL is the
 * way beside it. `docker-compose.yml` has one.
 */
const { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key, DATABASE_URL: databaseUrl } = process.env
const real = url !== undefined && key !== undefined && databaseUrl !== undefined ? { url, key, databaseUrl } : null

describe.runIf(real !== null || hasPostgres)('through PostgREST', () => {
  let project: Project
  beforeAll(async () => {
    project = real === null ? await startProject() : await realProject(real, real.databaseUrl)
  })
  afterAll(() => project.close())

  // Here the platform alone makes session rows: a user is one of auth.users, whom only a sign-up makes.
  const capabilities = { ownTables: false }
  platformContract('supabase', () => project.openWorld(), capabilities)
  settlementContract('supabase', () => project.openWorld())
  reconciliationContract('supabase', () => project.openWorld())
  storeContract('supabase', () => project.openWorld(), capabilities)
})
