import type { Command } from 'commander'
import { Option } from 'commander'
import { z } from 'zod'
import { CommandFailed } from '../client.ts'
import { talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'

/** `wearon erase`: personal data of a user or a store. */
export const addErase = (program: Command): void => {
  const erase = program
    .command('erase')
    .description('blank the personal data of a user or a store; facts, ids and credits stay')
    .addOption(new Option('--user <uuid>', 'of a user').conflicts('store'))
    .option('--store <uuid>', 'of a store and its shoppers')
    .requiredOption('--by <name>', 'who does it')
  talksToServer(erase).action(eraseOwner)
}

interface EraseOptions {
  readonly user?: string
  readonly store?: string
  readonly by: string
  readonly json?: boolean
}

const Erased = z.object({
  sessions: z.number(),
  open: z.number(),
  objects: z.number(),
  letters: z.number(),
  more: z.boolean(),
})

const eraseOwner = async ({ user, store, by, json }: EraseOptions, command: Command): Promise<void> => {
  if (user === undefined && store === undefined) throw new CommandFailed('name a --user or a --store')
  const server = serverOf(command)
  const total = { sessions: 0, objects: 0, letters: 0, open: 0 }
  for (let more = true; more; ) {
    const round = await server.post('/v1/erasures', user === undefined ? { by, store } : { by, user }, Erased)
    total.sessions += round.sessions
    total.objects += round.objects
    total.letters += round.letters
    total.open = round.open
    more = round.more
  }
  if (json) return console.log(JSON.stringify(total))
  console.log(`erased ${total.sessions} sessions, ${total.objects} images and ${total.letters} dead letters`)
  if (total.open > 0) console.log(`${total.open} sessions have not ended: erase them when they have`)
}
