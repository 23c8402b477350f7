import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { type Client } from '../client.ts'
import { byOption, type Json, talksToServer } from '../options.ts'
import { progressBar } from '../progress.ts'
import { serverOf } from '../server.ts'

const PAGE = 500
const LOOK_MS = 500
/** What did not move for so long does not move while somebody watches. */
const STILL_MS = 30_000

/** `wearon handback`: the way back to another worker. */
export const addHandback = (program: Command): void => {
  const handback = program
    .command('handback')
    .description('give untouched queued tasks back to the producers’ list; pause it first (pause --list)')
    .addOption(new Option('--store <uuid>', 'of this store alone').conflicts('user'))
    .option('--user <uuid>', 'of this user alone')
    .option('--max <number>', 'no more than these', whole)
    .option('--dry-run', 'only count them')
    .addOption(byOption())
  talksToServer(handback).action(handBack)
}

const whole = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('is no whole number above 0')
  return Number(text)
}

interface HandbackOptions extends Json {
  readonly by: string
  readonly store?: string
  readonly user?: string
  readonly max?: number
  readonly dryRun?: boolean
}

const handBack = async (options: HandbackOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const { dryRun = false, json } = options
  const before = await countsOf(server)
  const asked = await askAll(server, options)
  const gone = dryRun ? 0 : await settled(server, before.handed_back, asked)
  if (!dryRun && gone < asked) process.exitCode = 1
  if (json) return console.log(JSON.stringify({ untouched: asked, handed_back: gone, dry_run: dryRun }))
  if (dryRun) return console.log(`${asked} sessions wait and were never tried`)
  console.log(`${gone} of ${asked} sessions were handed back: their tasks lie in the producers’ list`)
  if (gone < asked) console.log('the others were started or ended meanwhile, or are on their way: ask again')
}

const Page = z.object({ sessions: z.number(), next: z.string().nullable() })

/** Asks for all of them, a page at a time. Answers how many. */
const askAll = async (server: Client, options: HandbackOptions): Promise<number> => {
  const { by, store, user, max = Number.POSITIVE_INFINITY, dryRun = false } = options
  let asked = 0
  for (let after: string | null | undefined; after !== null && asked < max; ) {
    const limit = Math.min(PAGE, max - asked)
    const body = { by, store, user, limit, dry_run: dryRun, ...(after !== undefined && { after }) }
    const { sessions, next } = await server.post('/v1/handbacks', body, Page)
    asked += sessions
    after = next
  }
  return asked
}

const Counts = z.object({ released: z.number(), handed_back: z.number() })

const countsOf = (server: Client) => server.get('/v1/handbacks', Counts)

/** Waits until all of them went, or nothing moves any more. Answers how many went. */
const settled = async (server: Client, before: number, asked: number): Promise<number> => {
  const bar = progressBar('tasks handed back')
  let gone = 0
  for (let stillSince = performance.now(); gone < asked && performance.now() - stillSince < STILL_MS; ) {
    const now = (await countsOf(server)).handed_back - before
    if (now > gone) stillSince = performance.now()
    gone = now
    bar.at(gone, asked)
    if (gone < asked) await sleep(LOOK_MS)
  }
  bar.end()
  return gone
}
