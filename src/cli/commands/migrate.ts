import type { Command } from 'commander'
import { migrate } from '../../adapters/postgres/migrate.ts'
import { openServer } from '../../adapters/postgres/server.ts'
import { ConfigError, readConfig } from '../../config.ts'
import { type Json, printsJson } from '../options.ts'

/** `wearon migrate`: brings the database of DATABASE_URL up to date. */
export const addMigrate = (program: Command): void => {
  const command = program.command('migrate').description('apply the pending migrations to the database of DATABASE_URL')
  printsJson(command).action(applyPending)
}

const applyPending = async ({ json }: Json): Promise<void> => {
  const { databaseUrl } = readConfig()
  if (databaseUrl === undefined)
    throw new ConfigError(['DATABASE_URL is needed; the embedded database is brought up to date at each start'])
  const sql = openServer({ url: databaseUrl, connections: 1, name: 'wearon migrate' })
  try {
    const applied = await migrate(sql)
    if (json) return console.log(JSON.stringify({ applied }))
    for (const name of applied) console.log(`applied ${name}`)
    console.log(applied.length === 0 ? 'nothing to apply: the database is up to date' : `${applied.length} applied`)
  } finally {
    await sql.close()
  }
}
