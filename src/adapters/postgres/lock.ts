import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'

const LOCK_FILE = 'lock.sqlite'
const HOLDER_FILE = 'holder.json'

/** SQLite's result code for "another process has the lock" (sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5

const Holder = z.object({
  pid: z.int(),
  host: z.string(),
  since: z.string(),
  /** Where its HTTP listens, once it does. */
  url: z.string().nullable(),
})
/** Who has a data folder, as it wrote down itself. */
export type Holder = z.infer<typeof Holder>

/** Another process works in the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
  readonly holder: Holder | null

  constructor(folder: string, holder: Holder | null) {
    const who = holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}${at(holder.url)}`
    super(`${folder} is in use by ${who}. Stop it first, or choose another data folder.`)
    this.holder = holder
  }
}

const at = (url: string | null) => (url === null ? '' : ` (${url})`)

/** The sole right to work in a folder, until `release()` or the end of the process, however it ends. */
export interface FolderLock {
  /** Notes where this process answers HTTP, for the command line and for whoever is refused. */
  announce(url: string): void
  release(): void
}

/**
 * Locks an existing folder. The lock is SQLite's, the one file lock that Node brings along: the kernel keeps it, so that it is
 * granted to one process only and dies with it, `kill -9` included; a file with a process id would need guessing after that.
 * @throws FolderInUse
 */
export const lockFolder = (folder: string): FolderLock => {
  const database = new DatabaseSync(join(folder, LOCK_FILE))
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) throw new FolderInUse(folder, readHolder(folder))
    throw error
  }
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), url: null }
  writeHolder(folder, holder)
  return {
    announce: (url) => writeHolder(folder, { ...holder, url }),
    release: () => {
      if (!database.isOpen) return
      rmSync(join(folder, HOLDER_FILE), { force: true })
      database.close()
    },
  }
}

/** Who wrote itself down as the folder's holder. It may be dead by now: only the lock tells. Null when nobody did. */
export const readHolder = (folder: string): Holder | null => {
  try {
    return Holder.parse(JSON.parse(readFileSync(join(folder, HOLDER_FILE), 'utf8')))
  } catch {
    // Missing, or from another version: the holder is unknown then, which is all that the caller can say.
    return null
  }
}

/** In one move, so that a reader never sees half of it. */
const writeHolder = (folder: string, holder: Holder): void => {
  const draft = join(folder, `${HOLDER_FILE}.${holder.pid}`)
  writeFileSync(draft, JSON.stringify(holder))
  renameSync(draft, join(folder, HOLDER_FILE))
}
