import type { Command } from 'commander'
import { Option } from 'commander'
import { z } from 'zod'
import { SCOPES } from '../../projections/api-keys.ts'
import { pageOf } from '../answers.ts'
import { type Json, talksToServer } from '../options.ts'
import { serverOf } from '../server.ts'
import { styled, tableOf } from '../text.ts'

/** `wearon keys` and `wearon audit`: who may use the API, and who did what with it. */
export const addKeys = (program: Command): void => {
  const keys = program.command('keys').description('who may use the API')
  const create = keys
    .command('create')
    .description('make a key, and show it: this once')
    .requiredOption('--name <name>', 'whose key it is; what is done with it is done in this name')
    .addOption(new Option('--scope <scopes...>', 'what it is for').choices(SCOPES).makeOptionMandatory())
    .addOption(new Option('--store <uuid>', 'for the sessions of this store alone').conflicts('user'))
    .option('--user <uuid>', 'for the sessions of this user alone')
    .option('--expires <moment>', 'until when it is good: a day or a time, UTC')
  talksToServer(create).action(createKey)
  talksToServer(keys.command('list').description('every key, without its secret')).action(listKeys)
  talksToServer(keys.command('revoke <key>').description('end a key, within seconds')).action(revokeKey)
  const audit = program
    .command('audit')
    .description('what operators asked for, the newest first')
    .option('--action <action>', 'only this one (refund.settle), or all that begin with it (refund)')
    .option('--target <id>', 'only what was done to this')
    .option('--limit <number>', 'how many, 200 at most', '50')
  talksToServer(audit).action(showAudit)
}

const KeyAnswer = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  tenant: z.string().nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
})

interface CreateOptions extends Json {
  readonly name: string
  readonly scope: readonly string[]
  readonly store?: string
  readonly user?: string
  readonly expires?: string
}

const createKey = async (options: CreateOptions, command: Command): Promise<void> => {
  const { name, scope: scopes, store, user, expires: expires_at, json } = options
  const body = { name, scopes, ...(store && { store }), ...(user && { user }), ...(expires_at && { expires_at }) }
  const made = await serverOf(command).post('/v1/keys', body, KeyAnswer.extend({ key: z.string() }))
  if (json) return console.log(JSON.stringify(made))
  console.log(`${made.key}
  ${made.name}: ${made.scopes.join(', ')}${made.tenant === null ? '' : ` of ${made.tenant}`}; its id is ${made.id}
  ${styled('yellow', 'It is not shown again.')} Send it as "Authorization: Bearer <key>", or set WEARON_API_KEY.`)
}

const listKeys = async ({ json }: Json, command: Command): Promise<void> => {
  const { items } = await serverOf(command).get('/v1/keys', z.object({ items: z.array(KeyAnswer) }))
  if (json) return console.log(JSON.stringify({ items }))
  if (items.length === 0) return console.log('no keys: the API is open on this machine, and closed to all others')
  const rows = items.map((one) => [
    one.id,
    one.name,
    one.scopes.join(','),
    one.tenant ?? 'all',
    one.last_used_at ?? 'never',
    one.revoked_at === null ? (one.expires_at ?? '') : `revoked ${one.revoked_at}`,
  ])
  console.log(tableOf([['key', 'name', 'scopes', 'of', 'last used, about', 'ends'], ...rows]))
}

const revokeKey = async (id: string, { json }: Json, command: Command): Promise<void> => {
  // The whole key is taken too: whoever finds a leaked one has that.
  const found = /^wk_(?<id>[0-9a-f]{16})_/.exec(id)?.groups?.['id'] ?? id
  const revoked = await serverOf(command).delete(`/v1/keys/${encodeURIComponent(found)}`, KeyAnswer)
  console.log(json ? JSON.stringify(revoked) : `${revoked.id} (${revoked.name}) is revoked since ${revoked.revoked_at}`)
}

const EntryAnswer = z.object({
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  request_id: z.string(),
  detail: z.looseObject({ by: z.string().optional() }),
  outcome: z.string().nullable(),
})

interface AuditOptions extends Json {
  readonly action?: string
  readonly target?: string
  readonly limit: string
}

const showAudit = async ({ action, target, limit, json }: AuditOptions, command: Command): Promise<void> => {
  const query = new URLSearchParams({ limit, ...(action && { action }), ...(target && { target }) })
  const page = await serverOf(command).get(`/v1/audit?${query.toString()}`, pageOf(EntryAnswer))
  if (json) return console.log(JSON.stringify(page))
  if (page.items.length === 0) return console.log('nothing was asked for')
  const rows = page.items.map((one) => [
    one.at,
    one.detail.by === undefined ? one.actor : `${one.actor} (${one.detail.by})`,
    one.action,
    one.target ?? '',
    one.outcome ?? 'not known',
    one.request_id,
  ])
  console.log(tableOf([['when', 'who', 'what', 'to', 'outcome', 'request'], ...rows]))
  if (page.next !== null) console.log(styled('gray', 'there are more: raise --limit'))
}
