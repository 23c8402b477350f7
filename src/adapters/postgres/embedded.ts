import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedThread } from './embedded-caller.ts'
import { type FolderLock, lockFolder } from './lock.ts'
import type { Queryable, Sql } from './sql.ts'

/** An embedded database and, when it lies in a folder, the lock on that folder. */
export interface EmbeddedSql extends Sql {
  /** Null for a database in memory. */
  readonly lock: FolderLock | null
}

/**
 * PostgreSQL inside this process (PGlite), on a thread of its own, in `<dataDir>/database`, or in memory for null. It has one
 * connection, so everything waits in line. @throws FolderInUse when another process has the folder: two would lose each
 * other's rows.
 */
export const openEmbedded = async (dataDir: string | null): Promise<EmbeddedSql> => {
  if (dataDir === null) return sqlOn(await EmbeddedThread.open(null), null)
  await mkdir(dataDir, { recursive: true })
  const lock = lockFolder(dataDir)
  try {
    return sqlOn(await EmbeddedThread.open(join(dataDir, 'database')), lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

const sqlOn = (thread: EmbeddedThread, lock: FolderLock | null): EmbeddedSql => {
  let scopes = 0
  return {
    ...callsOn(thread, null),
    transaction: (work) => {
      scopes += 1
      return transaction(thread, scopes, work)
    },
    listen: (channel, onNotify) => thread.listen(channel, onNotify),
    lock,
    close: async () => {
      await thread.close()
      // Last, so that nobody opens a folder that is still written to.
      lock?.release()
    },
  }
}

const transaction = async <Result>(
  thread: EmbeddedThread,
  scope: number,
  work: Parameters<Sql['transaction']>[0],
): Promise<Result> => {
  await thread.ask({ ask: 'begin', scope })
  let commits = false
  try {
    const result = (await work(callsOn(thread, scope))) as Result
    commits = true
    return result
  } finally {
    await thread.ask({ ask: 'end', scope, commits })
  }
}

const callsOn = (thread: EmbeddedThread, scope: number | null): Pick<Sql, 'query' | 'script'> => ({
  query: (async (text, values = []) => thread.ask({ ask: 'query', scope, text, values })) as Queryable['query'],
  script: async (text) => {
    await thread.ask({ ask: 'script', scope, text })
  },
})
