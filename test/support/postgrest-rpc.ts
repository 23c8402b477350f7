import type pg from 'pg'
import { databaseAnswer, type ErrorAnswer, errorAnswer } from './postgrest-errors.ts'

/** `db-max-rows` of a hosted project: no answer has more rows, and nothing says that some are missing. */
const MAX_ROWS = 1_000
/** What a hosted project lets its authenticator do, where the function itself says nothing else. */
const STATEMENT_TIMEOUT = '8s'

/** `body`: a value, JSON text as the database made it, or null for no content. */
export interface Answer {
  readonly status: number
  readonly body: object | string | null
}

interface Found {
  /** Says of itself that it writes nothing. */
  readonly stable: boolean
  readonly timeout: string | null
  readonly arguments: string
  readonly returns: string
  readonly is_set: boolean
}

/**
 * Calls a function of schema public as PostgREST does: one transaction, read only where the function says that it writes
 * nothing, as the role of the token, with arguments by name out of the body.
 */
export const callFunction = async (
  pool: pg.Pool,
  call: { role: string; name: string; args: Readonly<Record<string, unknown>> },
): Promise<Answer> => {
  const client = await pool.connect().catch(() => null)
  if (client === null) return errorAnswer(503, 'PGRST000', 'Database connection error. Retrying the connection.')
  try {
    const [found] = (await client.query<Found>(FUNCTION, [call.name, Object.keys(call.args)])).rows
    if (found === undefined) return notFound(call.name, Object.keys(call.args))
    await client.query(found.stable ? 'begin read only' : 'begin')
    const answer = await callOn(client, call, found)
    await client.query('commit')
    return answer
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    return databaseAnswer(error, call.role)
  } finally {
    client.release()
  }
}

const callOn = async (
  client: pg.PoolClient,
  { role, name, args }: { role: string; name: string; args: Readonly<Record<string, unknown>> },
  found: Found,
): Promise<Answer> => {
  await client.query(
    `select set_config('role', $1, true), set_config('statement_timeout', $2, true),
       set_config('request.jwt.claims', $3, true), set_config('search_path', 'public', true)`,
    [role, found.timeout ?? STATEMENT_TIMEOUT, JSON.stringify({ role })],
  )
  const { rows } = await client.query<{ body: string | null }>(callText(name, args, found), [JSON.stringify(args)])
  if (found.returns === 'void') return { status: 204, body: null }
  return { status: 200, body: rows[0]?.body ?? 'null' }
}

/** The function of this name that takes these arguments, and whose others have defaults. */
const FUNCTION = `
  select format_type(p.prorettype, null) as returns, p.proretset as is_set, p.provolatile <> 'v' as stable,
    (select substr(setting, 19) from unnest(p.proconfig) as setting where setting like 'statement_timeout=%') as timeout,
    coalesce((select string_agg(format('%I %s', a.name, format_type(a.type, null)), ', ')
      from unnest(p.proargnames, p.proargtypes::oid[]) as a(name, type) where a.name = any($2)), '') as arguments
  from pg_proc as p
  where p.pronamespace = 'public'::regnamespace and p.proname = $1
    and coalesce(p.proargnames, '{}') @> $2::text[]
    and p.pronargs - p.pronargdefaults <= cardinality($2::text[])
    and coalesce(p.proargnames[1:p.pronargs - p.pronargdefaults], '{}') <@ $2::text[]`

const callText = (
  name: string,
  args: Readonly<Record<string, unknown>>,
  { arguments: columns, is_set }: Found,
): string => {
  const named = Object.keys(args).map((argument) => `${argument} => given.${argument}`)
  const given = columns === '' ? '(select $1::json) as given' : `json_to_record($1::json) as given(${columns})`
  const all = is_set ? `coalesce(json_agg(result), '[]')` : `json_agg(result) -> 0`
  return `with called as (select public.${name}(${named.join(', ')}) as result from ${given} limit ${MAX_ROWS})
    select (${all})::text as body from called`
}

const notFound = (name: string, given: readonly string[]): ErrorAnswer => {
  const wanted = given.length === 0 ? 'without parameters' : `(${given.toSorted().join(', ')})`
  return errorAnswer(
    404,
    'PGRST202',
    `Could not find the function public.${name}${wanted} in the schema cache`,
    `Searched for the function public.${name} with parameters ${given.join(', ')}, but no matches were found in the schema cache.`,
  )
}
