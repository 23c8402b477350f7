import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { pageOf } from '../answers.ts'
import { CommandFailed } from '../client.ts'
import { columnOf, readCsv } from '../csv.ts'
import { byOption, type Json, talksToServer } from '../options.ts'
import { progressBar } from '../progress.ts'
import { serverOf } from '../server.ts'
import { styled, tableOf } from '../text.ts'

/** `wearon backfill`: what was before this system. */
export const addBackfill = (program: Command): void => {
  const backfill = program
    .command('backfill')
    .description('sessions from before this system: import them, give back what is owed')
  const run = backfill
    .command('run', { isDefault: true })
    .description('import session rows that ended without this system; pays nothing, and may be repeated')
    .option('--before <time>', 'rows made before then (default: a day ago)')
    .option('--dry-run', 'only count them')
    .addOption(byOption())
  talksToServer(run).action(importAll)
  const list = backfill
    .command('list')
    .description('imported sessions that failed, were charged, and were never given back')
    .addOption(new Option('--csv', 'all of them, as CSV').conflicts('json'))
  talksToServer(list).action(listUnreturned)
  const approve = backfill
    .command('approve <session-or-file>')
    .description('have the refund of one session paid, or of each in a CSV with a column session_id')
    .requiredOption('--why <text>', 'why')
    .option('--dry-run', 'only say what would be approved')
    .addOption(byOption())
  talksToServer(approve).action(approveRefunds)
}

interface ImportOptions extends Json {
  readonly by: string
  readonly before?: string
  readonly dryRun?: boolean
}

const Batch = z.object({ completed: z.number(), failed: z.number(), before: z.string(), next: z.string().nullable() })

const importAll = async ({ by, before, dryRun = false, json }: ImportOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const total = { completed: 0, failed: 0 }
  const bar = progressBar('rows')
  let batch: z.infer<typeof Batch> | null = null
  do {
    // The first answer says what the bound is; later rows wait for the next run.
    const body: object = { by, dry_run: dryRun, before: batch?.before ?? before, cursor: batch?.next ?? undefined }
    batch = await server.post('/v1/history/import', body, Batch)
    total.completed += batch.completed
    total.failed += batch.failed
    bar.at(total.completed + total.failed, null)
  } while (batch.next !== null)
  bar.end()
  if (json) return console.log(JSON.stringify({ ...total, dry_run: dryRun }))
  console.log(
    `${dryRun ? 'to import' : 'handed over for import'}: ${total.completed} completed, ${total.failed} failed`,
  )
  if (!dryRun) console.log('failed ones that were never given back show with: wearon backfill list --csv')
}

const Row = z.object({
  session_id: z.string(),
  channel: z.string(),
  owner_id: z.string(),
  requested_at: z.string(),
  payer: z.string(),
  credits: z.number(),
  proof: z.string(),
  detail: z.string(),
})

const listUnreturned = async ({ json, csv }: Json & { readonly csv?: boolean }, command: Command): Promise<void> => {
  const server = serverOf(command)
  if (csv) return server.copy('/v1/history?format=csv', process.stdout)
  const page = await server.get('/v1/history?limit=200', pageOf(Row))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('none')
  const rows = page.items.map((one) => [
    one.session_id,
    one.requested_at,
    one.payer,
    `${one.credits}`,
    one.proof,
    one.detail,
  ])
  console.log(tableOf([['session', 'requested', 'paid by', 'credits', '', 'evidence'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: --csv prints all'))
}

interface ApproveOptions extends Json {
  readonly by: string
  readonly why: string
  readonly dryRun?: boolean
}

const Approved = z.object({
  approved: z.number(),
  credits: z.number(),
  items: z.array(z.object({ session_id: z.string(), verdict: z.string() })),
})

/** As many as one request takes. */
const BATCH = 500

const approveRefunds = async (which: string, options: ApproveOptions, command: Command): Promise<void> => {
  const { by, why, dryRun = false, json } = options
  const server = serverOf(command)
  const body = { by, why, dry_run: dryRun }
  const answers: z.infer<typeof Approved>[] = []
  if (z.guid().safeParse(which).success) answers.push(await server.post(`/v1/history/${which}/approve`, body, Approved))
  else {
    const ids = await idsIn(which)
    const bar = progressBar('sessions')
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch = { ...body, session_ids: ids.slice(from, from + BATCH) }
      answers.push(await server.post('/v1/history/approvals', batch, Approved))
      bar.at(from + batch.session_ids.length, ids.length)
    }
    bar.end()
  }
  const items = answers.flatMap((answer) => answer.items)
  const [approved, credits] = [sum(answers, 'approved'), sum(answers, 'credits')]
  if (approved < items.length) process.exitCode = 1
  if (json) return console.log(JSON.stringify({ approved, credits, dry_run: dryRun, items }))
  for (const { session_id, verdict } of items)
    if (verdict !== 'approved') console.log(`${session_id}  ${words(verdict)}`)
  console.log(`${dryRun ? 'would approve' : 'approved'} ${approved} of ${items.length} sessions, ${credits} credits`)
}

const sum = (answers: readonly z.infer<typeof Approved>[], field: 'approved' | 'credits'): number =>
  answers.reduce((total, answer) => total + answer[field], 0)

const words = (verdict: string): string =>
  verdict === 'only_one_by_one'
    ? 'the ledger cannot prove that nothing was given back: approve it alone, after a look'
    : 'is no imported session whose credit waits for an approval'

/** @throws CommandFailed when the file cannot be read, or has no such column. */
const idsIn = async (file: string): Promise<string[]> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandFailed(
      `${file} is no session id and cannot be read: ${error instanceof Error ? error.message : ''}`,
    )
  })
  const ids = columnOf(readCsv(text), 'session_id')
  if (ids === null || ids.length === 0) throw new CommandFailed(`${file} has no column session_id with ids below it`)
  return ids
}
