import { type Command, Option } from 'commander'
import { z } from 'zod'
import { byOption, type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { tableOf } from '../text.ts'

/** `wearon pause`, `resume` and `pauses`: what waits because an operator said so. */
export const addPauses = (program: Command): void => {
  const pause = whatOptions(
    program
      .command('pause')
      .description('start no new try anywhere: of anybody, of one store or user; tasks go on being taken'),
  )
  talksToServer(pause.requiredOption('--why <text>', 'why').addOption(byOption())).action(begin)
  talksToServer(
    whatOptions(program.command('resume').description('end a pause: what waited goes on, in its order')),
  ).action(end)
  talksToServer(program.command('pauses').description('what is paused, since when, by whom and why')).action(list)
}

const whatOptions = (command: Command): Command =>
  command
    .addOption(new Option('--store <uuid>', 'of this store alone').conflicts(['user', 'list']))
    .addOption(new Option('--user <uuid>', 'of this user alone').conflicts('list'))
    .option('--list', 'leave tasks in the producers’ list instead, for a way back to another worker')

interface What extends Json {
  readonly store?: string
  readonly user?: string
  readonly list?: boolean
}

const pathOf = ({ store, user, list }: What): string => {
  const tenant = (store && `store:${store}`) ?? (user && `user:${user}`)
  return `/v1/pauses/${encodeURIComponent(tenant ?? (list ? 'list' : 'all'))}`
}

const Pause = z.object({ scope: z.string(), by: z.string(), why: z.string(), since: z.string() })

const begin = async (what: What & { readonly by: string; readonly why: string }, command: Command): Promise<void> => {
  const { by, why, json } = what
  const pause = await serverOf(command).post(pathOf(what), { by, why }, Pause)
  if (json) return console.log(JSON.stringify(pause))
  console.log(`${pause.scope} is paused since ${pause.since} by ${pause.by}: ${pause.why}
  every process heeds it within seconds; what runs may end, and tasks that come wait`)
}

const end = async (what: What, command: Command): Promise<void> => {
  const answer = await serverOf(command).delete(pathOf(what), z.object({ scope: z.string(), ended: Pause.nullable() }))
  if (what.json) return console.log(JSON.stringify(answer))
  const { scope, ended } = answer
  console.log(
    ended === null ? `${scope} was not paused` : `${scope} goes on; it was paused since ${ended.since} by ${ended.by}`,
  )
}

const list = async ({ json }: Json, command: Command): Promise<void> => {
  const { items } = await serverOf(command).get('/v1/pauses', z.object({ items: z.array(Pause) }))
  if (json) return console.log(JSON.stringify({ items }))
  if (items.length === 0) return console.log('nothing is paused')
  console.log(tableOf([['what', 'since', 'by', 'why'], ...items.map((one) => [one.scope, one.since, one.by, one.why])]))
}
