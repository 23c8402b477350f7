import type { Command } from 'commander'
import { readHolder } from '../adapters/postgres/lock.ts'
import { readOperatorToken } from '../app/operator-token.ts'
import { readConfig } from '../config.ts'
import { Client } from './client.ts'

const DEFAULT_URL = 'http://127.0.0.1:8000'
const THIS_MACHINE = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/|$)/i

/**
 * The server that a command talks to: the one of `--url`, else the one that has DATA_DIR, else the default address. It asks
 * with WEARON_API_KEY, or on this machine with the token in DATA_DIR.
 */
export const serverOf = (command: Command): Client => {
  const { url: given } = command.optsWithGlobals<{ url?: string }>()
  const { dataDir, apiKey: key } = readConfig()
  const url = given ?? readHolder(dataDir)?.url ?? DEFAULT_URL
  return new Client(url, { key, token: THIS_MACHINE.test(url) ? readOperatorToken(dataDir) : null })
}
