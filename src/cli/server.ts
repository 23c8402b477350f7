import type { Command } from 'commander'
import { readHolder } from '../adapters/postgres/lock.ts'
import { readConfig } from '../config.ts'
import { Client } from './client.ts'

const DEFAULT_URL = 'http://127.0.0.1:8000'

/** The server that a command talks to: the one of `--url`, else the one that has DATA_DIR, else the default address. */
export const serverOf = (command: Command): Client => {
  const { url } = command.optsWithGlobals<{ url?: string }>()
  return new Client(url ?? readHolder(readConfig().dataDir)?.url ?? DEFAULT_URL)
}

/** Adds what every command that talks to a server takes. */
export const talksToServer = (command: Command): Command =>
  command
    .option('--url <url>', 'the server (default: the one that runs on DATA_DIR)')
    .option('--json', 'print the answer as JSON')
