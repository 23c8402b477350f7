import { type Command, Option } from 'commander'
import { z } from 'zod'
import { pageOf } from '../answers.ts'
import { byOption, type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { styled, tableOf } from '../text.ts'

/** `wearon orphans`: what lost its other half. */
export const addOrphans = (program: Command): void => {
  const orphans = program
    .command('orphans')
    .description('session rows without a task, charges without a row, images without a session')
  const list = orphans
    .command('list', { isDefault: true })
    .description('the newest of them')
    .addOption(new Option('--class <class>', 'of one kind').choices(['orphan_row', 'orphan_charge', 'orphan_object']))
    .addOption(new Option('--csv', 'all of them, as CSV').conflicts('json'))
  talksToServer(list).action(listOrphans)
  const settle = orphans
    .command('settle <session>')
    .description('fail a session row for which no task came, and give its credit back')
    .addOption(byOption())
  talksToServer(settle).action(settleOrphan)
}

const Row = z.object({
  class: z.string(),
  session_id: z.string().nullable(),
  request_id: z.string().nullable(),
  since: z.string(),
  credits: z.number(),
  settles: z.string(),
  detail: z.string(),
})

type ListOptions = Json & { readonly class?: string; readonly csv?: boolean }

const listOrphans = async ({ class: name, csv, json }: ListOptions, command: Command): Promise<void> => {
  const server = serverOf(command)
  const query = (more: Record<string, string>) =>
    new URLSearchParams({ ...(name && { class: name }), ...more }).toString()
  if (csv) return server.copy(`/v1/orphans?${query({ format: 'csv' })}`, process.stdout)
  const page = await server.get(`/v1/orphans?${query({ limit: '200' })}`, pageOf(Row))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('none')
  const rows = page.items.map((one) => [
    one.class,
    one.session_id ?? one.request_id ?? '-',
    one.since,
    `${one.credits}`,
    one.settles,
    one.detail,
  ])
  console.log(tableOf([['class', 'session or request', 'since', 'credits', 'settles', 'detail'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: --csv prints all'))
}

const settleOrphan = async (
  id: string,
  { by, json }: Json & { readonly by: string },
  command: Command,
): Promise<void> => {
  const path = `/v1/orphans/${encodeURIComponent(id)}/settle`
  const asked = await serverOf(command).post(path, { by }, z.object({ session_id: z.string() }))
  console.log(
    json ? JSON.stringify(asked) : `asked for; what comes of it shows: wearon refunds show ${asked.session_id}`,
  )
}
