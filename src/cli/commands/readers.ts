import type { Command } from 'commander'
import { z } from 'zod'
import { type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { tableOf } from '../text.ts'

const Readers = z.object({
  items: z.array(z.object({ name: z.string(), behind_steps: z.number(), waits_since: z.string().nullable() })),
})

/** Who follows the journals with a client of its own, and holds what it has not read. */
export const addReaders = (program: Command): void => {
  const readers = program.command('readers').description('those who follow the journals from outside')
  talksToServer(readers.command('list').description('how far each is behind')).action(listReaders)
  talksToServer(
    readers.command('remove <name>').description('trim from now on what it has not read; stop the reader first'),
  ).action(removeReader)
}

const listReaders = async ({ json }: Json, command: Command): Promise<void> => {
  const readers = await serverOf(command).get('/v1/journal-readers', Readers)
  if (json) return console.log(JSON.stringify(readers))
  if (readers.items.length === 0) return console.log('nobody registered')
  const rows = readers.items.map((one) => [one.name, String(one.behind_steps), one.waits_since ?? ''])
  console.log(tableOf([['reader', 'steps behind', 'the oldest since'], ...rows]))
}

const removeReader = async (name: string, { json }: Json, command: Command): Promise<void> => {
  const path = `/v1/journal-readers/${encodeURIComponent(name)}`
  const removed = await serverOf(command).delete(path, z.object({ name: z.string() }))
  console.log(json ? JSON.stringify(removed) : `removed ${removed.name}: what it has not read may be trimmed now`)
}
