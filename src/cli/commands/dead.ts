import { type Command, Option } from 'commander'
import { z } from 'zod'
import { LetterAnswer, OpenedLetterAnswer, pageOf } from '../answers.ts'
import { type Client, CommandFailed } from '../client.ts'
import { byOption, type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { styled, tableOf } from '../text.ts'

/** So many letters one `--all` replays at most. */
const ALL_MAX = 1_000
const PAGE = 200

/** `wearon dead`: messages that nobody could work on, and what an operator does with them. */
export const addDead = (program: Command): void => {
  const dead = program.command('dead').description('messages that nobody could work on')
  const list = dead
    .command('list')
    .description('the newest of them')
    .addOption(new Option('--state <state>', 'only these').choices(['waiting', 'replayed', 'discarded']))
    .option('--limit <number>', 'how many, 200 at most', '50')
  talksToServer(list).action(listLetters)
  talksToServer(dead.command('show <letter>').description('one of them, with its bytes')).action(showLetter)
  const replay = dead
    .command('replay [letters...]')
    .description('hand them to the worker once more')
    .option('--all', `all that wait, ${ALL_MAX} at most`)
    .option('--force', 'also what was replayed, discarded, or died after several replays')
  talksToServer(replay).addOption(byOption()).action(replayLetters)
  const discard = dead
    .command('discard <letter>')
    .description('note that it needs no work')
    .requiredOption('--reason <text>', 'why')
  talksToServer(discard).addOption(byOption()).action(discardLetter)
}

interface ListOptions extends Json {
  readonly state?: string
  readonly limit: string
}

const listLetters = async ({ state, limit, json }: ListOptions, command: Command): Promise<void> => {
  const query = new URLSearchParams({ limit, ...(state && { state }) })
  const page = await serverOf(command).get(`/v1/dead-letters?${query.toString()}`, pageOf(LetterAnswer))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('no dead letters')
  const rows = page.items.map((one) => [
    one.id,
    one.state,
    `${one.attempts}`,
    `${one.replays}`,
    one.last_seen_at,
    one.source,
    one.reason,
  ])
  console.log(tableOf([['letter', 'state', 'deaths', 'replays', 'last died', 'source', 'reason'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: raise --limit'))
}

const showLetter = async (id: string, { json }: Json, command: Command): Promise<void> => {
  const letter = await serverOf(command).get(pathOf(id), OpenedLetterAnswer)
  if (json) return console.log(JSON.stringify(letter))
  const { last_action: action } = letter
  console.log(`${letter.id}  ${letter.state}, ${letter.reason}
  came by ${letter.source}, died ${letter.attempts} times from ${letter.first_seen_at} to ${letter.last_seen_at}, replayed ${letter.replays} times`)
  if (action !== null) console.log(`  ${action.by} decided at ${action.at}${action.reason && `: ${action.reason}`}`)
  console.log(
    styled(
      'gray',
      `  ${letter.size_bytes} bytes${letter.text === null ? ', base64' : ''}${letter.is_cut ? ', cut' : ''}:`,
    ),
  )
  console.log(letter.text ?? letter.bytes_base64)
}

interface ReplayOptions extends Json {
  readonly all?: boolean
  readonly force?: boolean
  readonly by: string
}

interface Replayed {
  readonly id: string
  /** `replayed`, `replayed_before`, or why not. */
  readonly outcome: string
  readonly failed: boolean
}

const replayLetters = async (ids: string[], options: ReplayOptions, command: Command): Promise<void> => {
  const { all = false, force = false, by, json } = options
  if (ids.length > 0 === all) throw new CommandFailed('name letters, or take --all')
  const server = serverOf(command)
  const items: Replayed[] = []
  for await (const id of all ? waiting(server) : ids) {
    const one = await replay(server, id, { by, force })
    items.push(one)
    if (!json) console.log(`${one.id}  ${one.failed ? styled('red', one.outcome) : one.outcome.replaceAll('_', ' ')}`)
  }
  if (json) console.log(JSON.stringify({ items }))
  else if (items.length === 0) console.log('no letter waits')
  else if (all && items.length === ALL_MAX) console.log(styled('gray', 'there may be more: run it again'))
  if (items.some(({ failed }) => failed)) process.exitCode = 1
}

/** One that cannot be replayed keeps no other from it. */
const replay = async (server: Client, id: string, body: object): Promise<Replayed> => {
  try {
    const { outcome } = await server.post(`${pathOf(id)}/replay`, body, Done)
    return { id, outcome, failed: false }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    return { id, outcome: error.message, failed: true }
  }
}

/** A letter that dies again meanwhile keeps its place, so that none comes twice. */
async function* waiting(server: Client): AsyncIterable<string> {
  let cursor: string | null = null
  for (let handed = 0; handed < ALL_MAX; ) {
    const query = new URLSearchParams({ state: 'waiting', limit: `${PAGE}`, ...(cursor !== null && { cursor }) })
    const page: z.infer<ReturnType<typeof pageOf<LetterAnswer>>> = await server.get(
      `/v1/dead-letters?${query.toString()}`,
      pageOf(LetterAnswer),
    )
    for (const { id } of page.items) yield id
    handed += page.items.length
    cursor = page.next
    if (cursor === null) return
  }
}

const discardLetter = async (
  id: string,
  { by, reason, json }: Json & { readonly by: string; readonly reason: string },
  command: Command,
): Promise<void> => {
  const done = await serverOf(command).post(`${pathOf(id)}/discard`, { by, reason }, Done)
  console.log(json ? JSON.stringify(done) : `${id}  ${done.outcome.replaceAll('_', ' ')}`)
}

const Done = z.object({ outcome: z.string(), letter: LetterAnswer })

const pathOf = (id: string): string => `/v1/dead-letters/${encodeURIComponent(id)}`
