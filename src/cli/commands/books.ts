import { type Command, Option } from 'commander'
import { z } from 'zod'
import { bookClasses } from '../../projections/books.ts'
import {
  ExceptionAnswer,
  pageOf,
  ReconciliationAnswer,
  RefundAnswer,
  RefundStoryAnswer,
  RunAnswer,
} from '../answers.ts'
import { byOption, csvOption, type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { books, styled, tableOf } from '../text.ts'
import { timeline } from '../timeline.ts'

/** `wearon refunds`: who is owed what, who got it back, and what finance does about it. */
export const addRefunds = (program: Command): void => {
  const refunds = program.command('refunds').description('who is owed a credit, and who got one back')
  const list = refunds
    .command('list', { isDefault: true })
    .description('the newest of them')
    .option('--state <state>', 'owed, issued, waived, settled or escalated')
    .option('--channel <channel>', 'b2b or b2c')
    .option('--owner <uuid>', 'of one store or user')
    .option('--payer <payer>', 'to one account, or a shopper by e-mail')
    .option('--since <time>', 'owed since then or later')
    .option('--until <time>', 'owed since before then')
    .option('--age <age>', 'owed for at least 1h, 24h or 7d')
    .addOption(csvOption())
  talksToServer(list).action(listRefunds)
  const show = refunds.command('show <session>').description('one refund, with the facts and transactions behind it')
  talksToServer(show).action(showRefund)
  const settle = refunds
    .command('settle <session>')
    .description('note that it was settled by hand, unless it is paid before')
    .addOption(
      new Option('--how <how>', 'how')
        .choices(['paid_outside', 'given_by_platform', 'written_off'])
        .makeOptionMandatory(),
    )
    .requiredOption('--why <text>', 'why')
    .addOption(byOption())
  talksToServer(settle).action(settleRefund)
  const retry = refunds.command('retry <session>').description('try it again now').addOption(byOption())
  talksToServer(retry).action(retryRefund)
}

type ListOptions = Json & { readonly csv?: boolean } & Readonly<Record<string, string | boolean | undefined>>

const FILTERS = ['state', 'channel', 'owner', 'payer', 'since', 'until', 'age'] as const

const listRefunds = async (options: ListOptions, command: Command): Promise<void> => {
  const query = queryOf(options, FILTERS)
  if (options.csv) return serverOf(command).copy(`/v1/refunds?${query({ format: 'csv' })}`, process.stdout)
  const page = await serverOf(command).get(`/v1/refunds?${query({ limit: '200' })}`, pageOf(RefundAnswer))
  if (options.json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('no refunds')
  const rows = page.items.map((one) => [
    one.session_id,
    one.state,
    one.payer === null ? '-' : `${one.payer.kind} ${one.payer.email ?? one.payer.id}`,
    String(one.credits ?? '-'),
    one.settlement?.how ?? one.how ?? one.waiver_reason ?? one.last_error ?? '',
    one.settled_at ?? one.since,
  ])
  console.log(tableOf([['session', 'state', 'to', 'credits', 'how', 'since'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: --csv prints all'))
}

const queryOf =
  (options: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  (more: Readonly<Record<string, string>> = {}): string => {
    const query = new URLSearchParams(more)
    for (const name of names) if (typeof options[name] === 'string') query.set(name, options[name])
    return query.toString()
  }

const pathOf = (id: string): string => `/v1/refunds/${encodeURIComponent(id)}`

const showRefund = async (id: string, { json }: Json, command: Command): Promise<void> => {
  const story = await serverOf(command).get(pathOf(id), RefundStoryAnswer)
  if (json) return console.log(JSON.stringify(story))
  const { refund, decision, ledger, facts } = story
  console.log(`${id}  ${refund === null ? 'nothing was ever owed' : `refund ${refund.state}, since ${refund.since}`}`)
  console.log(timeline(facts))
  if (decision !== null) console.log(`decided  ${decision.kind} at ${decision.recorded_at ?? '-'}`)
  const lines = ledger.map((one) => [
    `  ${one.created_at}`,
    one.type,
    `${one.amount}`,
    one.account,
    one.description ?? '',
  ])
  console.log(lines.length === 0 ? 'no transaction names it' : `transactions\n${tableOf(lines)}`)
}

interface SettleOptions extends Json {
  readonly by: string
  readonly how: string
  readonly why: string
}

const Asked = z.object({ session_id: z.string(), state: z.string() })

const settleRefund = (id: string, { by, how, why, json }: SettleOptions, command: Command): Promise<void> =>
  ask(`${pathOf(id)}/settle`, { by, how, why }, json, command)

const retryRefund = (id: string, { by, json }: Json & { readonly by: string }, command: Command): Promise<void> =>
  ask(`${pathOf(id)}/retry`, { by }, json, command)

const ask = async (path: string, body: object, json: boolean | undefined, command: Command): Promise<void> => {
  const asked = await serverOf(command).post(path, body, Asked)
  const hint = `asked for; what comes of it shows: wearon refunds show ${asked.session_id}`
  console.log(json ? JSON.stringify(asked) : hint)
}

/** `wearon reconcile`: the facts against the credit tables. */
export const addReconcile = (program: Command): void => {
  const reconcile = program
    .command('reconcile')
    .description('hold the facts against the credit tables; exit 1 when they differ')
    .option('--day <day>', 'sessions of one day: YYYY-MM-DD, yesterday or today, UTC')
    .option('--store <uuid>', 'sessions of one store')
    .option('--user <uuid>', 'sessions of one user')
    .option('--session <uuid>', 'one session')
    .option('--as-of <time>', 'as it was then')
    .addOption(new Option('--class <class>', 'list the lines of one class').choices(Object.keys(bookClasses)))
    .option('--exceptions', 'list every line that somebody should look at')
    .addOption(csvOption())
    .option('--history', 'the runs that were kept, the newest first')
  talksToServer(reconcile).action(showBooks)
}

type BooksOptions = ListOptions & { readonly asOf?: string; readonly exceptions?: boolean; readonly history?: boolean }

const SCOPE = ['day', 'store', 'user', 'session', 'as_of', 'class'] as const

const showBooks = async ({ asOf, ...options }: BooksOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const query = queryOf({ ...options, as_of: asOf }, SCOPE)
  const listed = options.exceptions === true || typeof options['class'] === 'string'
  const path = listed ? '/v1/reconciliation/exceptions' : '/v1/reconciliation'
  if (options.history) return showRuns(command, options.json)
  if (options.csv) return server.copy(`${path}?${query({ format: 'csv' })}`, process.stdout)
  if (listed) return showLines(command, `${path}?${query({ limit: '200' })}`, options.json)
  const summary = await server.get(`${path}?${query()}`, ReconciliationAnswer)
  console.log(options.json ? JSON.stringify(summary) : books(summary))
  if (!summary.balanced) process.exitCode = 1
}

const showLines = async (command: Command, path: string, json: boolean | undefined): Promise<void> => {
  const page = await serverOf(command).get(path, pageOf(ExceptionAnswer))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('none')
  const rows = page.items.map((one) => [
    one.class,
    one.session_id ?? one.owner_id ?? '-',
    one.since,
    `${one.charged}`,
    `${one.given_back}`,
    one.detail,
  ])
  console.log(tableOf([['class', 'session or account', 'since', 'charged', 'given back', 'detail'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: --csv prints all'))
}

const showRuns = async (command: Command, json: boolean | undefined): Promise<void> => {
  const page = await serverOf(command).get('/v1/reconciliation/runs?limit=50', pageOf(RunAnswer))
  if (json) return console.log(JSON.stringify(page))
  const rows = page.items.map((one) => [
    one.as_of,
    one.balanced ? 'balanced' : 'NOT balanced',
    `${one.drift}`,
    `${one.owed}`,
    `${one.classes['overdue'] ?? 0}`,
    one.checksum,
  ])
  console.log(tableOf([['as of', '', 'drift', 'owed', 'overdue', 'checksum'], ...rows]))
}
