import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedSql, openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { oncePerRun } from './once-per-run.ts'

/** A new data folder whose database is migrated: a copy, which takes a fraction of making one. */
export const newDataFolder = (): Promise<string> => copyOf('data-migrated')

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

/** A new embedded database in a folder that goes away with it: migrated, or with nothing in it. */
export const newEmbedded = async (content: 'migrated' | 'empty' = 'migrated'): Promise<EmbeddedSql> => {
  const folder = await copyOf(`data-${content}`)
  const sql = await openEmbedded(folder)
  return {
    ...sql,
    close: async () => {
      await sql.close()
      await removeFolder(folder)
    },
  }
}

const copyOf = async (template: keyof typeof templates): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'wearon-data-'))
  await cp(await oncePerRun(template, templates[template]), folder, { recursive: true })
  return folder
}

const templates = {
  'data-empty': async (folder: string) => (await openEmbedded(folder)).close(),
  'data-migrated': async (folder: string) => {
    await cp(await oncePerRun('data-empty', templates['data-empty']), folder, { recursive: true })
    const sql = await openEmbedded(folder)
    await migrate(sql)
    await sql.close()
  },
}
