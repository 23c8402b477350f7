import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newSecret } from '../adapters/system/secret.ts'
import type { Logger } from '../machines/ports/environment.ts'

const FILE = 'operator-token'
/** For the owner of the data folder alone. */
const OWN = 0o600

/**
 * The token by which the command line on this machine acts as the operator once there are API keys: whoever may read it can read
 * the data folder anyway. Kept over restarts and shared by the processes on a folder; a new one is made when the file is gone.
 * Null where the folder cannot be written.
 */
export const keepOperatorToken = (dataDir: string, logger: Logger): string | null => {
  try {
    mkdirSync(dataDir, { recursive: true })
    return readOperatorToken(dataDir) ?? make(dataDir)
  } catch (error) {
    logger.warn({ error, dataDir }, 'no operator token could be kept: commands on this machine need WEARON_API_KEY')
    return null
  }
}

/** Null where there is none. */
export const readOperatorToken = (dataDir: string): string | null => {
  try {
    const token = readFileSync(join(dataDir, FILE), 'utf8').trim()
    return token === '' ? null : token
  } catch {
    // Missing, or another user's: whoever asks then goes without.
    return null
  }
}

const make = (dataDir: string): string => {
  const file = join(dataDir, FILE)
  try {
    writeFileSync(file, `${newSecret()}\n`, { flag: 'wx', mode: OWN })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
    // Empty, or made by another process just now.
    if (readOperatorToken(dataDir) === null) writeFileSync(file, `${newSecret()}\n`, { mode: OWN })
  }
  chmodSync(file, OWN)
  const kept = readOperatorToken(dataDir)
  if (kept === null) throw new Error(`${file} cannot be read`)
  return kept
}
