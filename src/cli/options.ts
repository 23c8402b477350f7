import { userInfo } from 'node:os'
import { type Command, Option } from 'commander'

/** What every command takes: its answer for programs in the place of the one for people. */
export interface Json {
  readonly json?: boolean
}

export const printsJson = (command: Command): Command => command.option('--json', 'print the answer as JSON')

/** Adds what every command that talks to a server takes. */
export const talksToServer = (command: Command): Command =>
  printsJson(command.option('--url <url>', 'the server (default: the one that runs on DATA_DIR)'))

/** In whose name an operator acts. */
export const byOption = (): Option => new Option('--by <name>', 'who does it').default(userInfo().username, 'you')

export const csvOption = (): Option => new Option('--csv', 'all of it, as CSV').conflicts('json')
