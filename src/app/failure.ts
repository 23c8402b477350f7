import { FolderInUse } from '../adapters/postgres/lock.ts'
import { MigrationEdited } from '../adapters/postgres/migrate.ts'
import { RedisUnreachable } from '../adapters/redis/errors.ts'
import { UnfitServer } from '../adapters/redis/server-check.ts'
import { SupabaseError } from '../adapters/supabase/errors.ts'
import { ConfigError } from '../config.ts'
import { WrongPartitionCount } from '../machines/ports/event-log.ts'
import { MigrationsPending } from './migrations-pending.ts'
import { TracingMissing } from './tracing.ts'

/** Why the process cannot go on, for whoever started it. */
export interface Failure {
  /** 2: what it was given is wrong. 1: something else does not let it. */
  readonly exitCode: 1 | 2
  readonly text: string
}

const EXPECTED = [
  FolderInUse,
  MigrationsPending,
  MigrationEdited,
  WrongPartitionCount,
  RedisUnreachable,
  UnfitServer,
  SupabaseError,
  TracingMissing,
]

/** One clear line for what may be expected; what may not comes with its stack. */
export const failureOf = (error: unknown): Failure => {
  if (error instanceof ConfigError) return { exitCode: 2, text: error.message }
  if (EXPECTED.some((known) => error instanceof known)) return { exitCode: 1, text: (error as Error).message }
  if (!(error instanceof Error)) return { exitCode: 1, text: String(error) }
  const { code } = error as { code?: unknown }
  const words = typeof code === 'string' ? inWords(code, error) : null
  return { exitCode: 1, text: words ?? error.stack ?? error.message }
}

const inWords = (code: string, error: Error & { address?: string; port?: number; path?: string }): string | null => {
  const place = error.address === undefined ? '' : ` ${error.address}:${error.port}`
  switch (code) {
    case 'EADDRINUSE':
      return `the address${place} is in use by another program: stop it, or set PORT (0: any free one)`
    case 'EADDRNOTAVAIL':
      return `the address${place} is not one of this machine: set HOST`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOSPC':
    case 'ENOTDIR':
    case 'EEXIST':
      return `${error.message}: see to the data folder (DATA_DIR) or the port (PORT)`
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
      return `the database${place} does not answer (${code}): see to DATABASE_URL`
    default:
      // Five letters and digits: an answer of a database (SQLSTATE).
      return /^[0-9A-Z]{5}$/.test(code) ? `the database refused: ${error.message} (${code})` : null
  }
}
