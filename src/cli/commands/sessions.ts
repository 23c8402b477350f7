import { type Command, Option } from 'commander'
import type { Fact } from '../../events/fact.ts'
import { sessionTable } from '../../machines/compile.ts'
import { Refold } from '../../machines/refold.ts'
import { type Snapshot, sessionState } from '../../machines/snapshot.ts'
import { FactsAnswer, pageOf, SessionAnswer } from '../answers.ts'
import { makingLines } from '../making.ts'
import { wholeNumber } from '../numbers.ts'
import { type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { styled, styledState, tableOf } from '../text.ts'
import { timeline, timelineLine } from '../timeline.ts'

interface ListOptions {
  readonly state?: string
  readonly tenant?: string
  readonly limit: string
  readonly json?: boolean
}

/** `wearon sessions`: list, show, and replay one through the machine of this version. */
export const addSessions = (program: Command): void => {
  const sessions = program.command('sessions').description('how sessions are doing')
  const list = sessions
    .command('list')
    .description('the newest sessions')
    .option('--state <state>', 'queued, processing, completed, failed or refunded')
    .option('--tenant <tenant>', 'user:<uuid> or store:<uuid>')
    .option('--limit <number>', 'how many', '20')
  talksToServer(list).action(listSessions)
  talksToServer(sessions.command('show <id>').description('one session with all its facts')).action(showSession)
  const replay = sessions
    .command('replay <id>')
    .description('where each of its facts leaves it by this version; exit 1 when that is not what its row says')
    .addOption(new Option('--until <number>', 'up to this fact').argParser(wholeNumber))
  talksToServer(replay).action(replaySession)
}

const listSessions = async ({ state, tenant, limit, json }: ListOptions, command: Command): Promise<void> => {
  const query = new URLSearchParams({ limit, ...(state && { state }), ...(tenant && { tenant }) })
  const page = await serverOf(command).get(`/v1/generations?${query.toString()}`, pageOf(SessionAnswer))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('no sessions')
  const rows = page.items.map((one) => [
    one.session_id,
    one.state,
    one.tenant ?? '-',
    String(one.attempts),
    one.created_at ?? '-',
    one.failure_code ?? '',
  ])
  console.log(tableOf([['session', 'state', 'tenant', 'tries', 'created', 'failure'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: raise --limit'))
}

const showSession = async (id: string, { json }: { json?: boolean }, command: Command): Promise<void> => {
  const server = serverOf(command)
  const path = `/v1/generations/${encodeURIComponent(id)}`
  const session = await server.get(path, SessionAnswer)
  const { items: facts } = await server.get(`${path}/facts`, FactsAnswer)
  if (json) return console.log(JSON.stringify({ session, facts }))
  console.log(`${session.session_id}  ${styledState(session.state)}  ${session.tenant ?? ''}`)
  console.log(timeline(facts))
  for (const line of makingLines(facts)) console.log(line)
  if (session.image_url !== null) console.log(`image  ${session.image_url}`)
  if (session.error_message !== null) console.log(`told   ${session.error_message}`)
}

interface ReplayOptions extends Json {
  readonly until?: number
}

const replaySession = async (id: string, { until, json }: ReplayOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const path = `/v1/generations/${encodeURIComponent(id)}`
  const { state: rowState } = await server.get(path, SessionAnswer)
  const { items } = await server.get(`${path}/facts`, FactsAnswer)
  const steps = stepsOf(items.slice(0, until))
  const { state = null, context = null } = steps.at(-1)?.session ?? {}
  const isPast = steps.length < items.length
  const stands = state !== null && (isPast || sessionState(state) === rowState)
  if (!stands) process.exitCode = 1
  const shown = steps.map(({ fact, session }) => ({ fact, state: session?.state ?? null }))
  if (json) return console.log(JSON.stringify({ session_id: id, state, row_state: rowState, context, steps: shown }))
  const startMs = Date.parse(items[0]?.at ?? '')
  for (const one of shown) console.log(`${(one.state ?? 'REFUSED').padEnd(16)}${timelineLine(one.fact, startMs)}`)
  if (!isPast) console.log(stands ? `its row says the same: ${rowState}` : `its row says ${rowState}`)
}

/** Each fact with the session after it, by the machine of this version; null from the first one on that it refuses. */
const stepsOf = (facts: readonly Fact[]): { fact: Fact; session: Snapshot | null }[] => {
  const refold = new Refold(sessionTable, { whole: true })
  return facts.map((fact) => {
    const folded = refold.take(fact, null)
    return { fact, session: folded.kind === 'moved' ? folded.session : null }
  })
}
