import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'

let template: Promise<string> | null = null

/** A new data folder whose database is migrated: a copy, which takes a fraction of making one. */
export const newDataFolder = async (): Promise<string> => {
  template ??= makeTemplate()
  const folder = await newFolder()
  await cp(await template, folder, { recursive: true })
  return folder
}

/** Removes a data folder; with null the template of them all, after the last test. */
export const removeFolder = async (folder: string | null): Promise<void> => {
  const path = folder ?? (await template)
  if (path !== null) await rm(path, { recursive: true, force: true })
}

const newFolder = () => mkdtemp(join(tmpdir(), 'wearon-data-'))

const makeTemplate = async (): Promise<string> => {
  const folder = await newFolder()
  const sql = await openEmbedded(folder)
  await migrate(sql)
  await sql.close()
  return folder
}
