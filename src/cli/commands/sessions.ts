import type { Command } from 'commander'
import { FactsAnswer, pageOf, SessionAnswer } from '../answers.ts'
import { makingLines } from '../making.ts'
import { talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { styled, styledState, tableOf } from '../text.ts'
import { timeline } from '../timeline.ts'

interface ListOptions {
  readonly state?: string
  readonly tenant?: string
  readonly limit: string
  readonly json?: boolean
}

/** `wearon sessions list` and `wearon sessions show`. */
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
