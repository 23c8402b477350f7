import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { type Fact, parseFact } from '../../src/events/fact.ts'
import { SessionId } from '../../src/events/ids.ts'
import type { Evidence } from '../../src/projections/evidence.ts'

/** What the database shows of everything that happened, for `violations()` to judge. */
export const readEvidence = async (sql: Sql, accepted: ReadonlySet<SessionId>): Promise<Evidence> => ({
  accepted,
  facts: await readFacts(sql),
  refunds: await readRefunds(sql),
  rows: await readRows(sql),
  balances: await readBalances(sql),
  tries: [],
  commits: [],
  readings: [],
})

const readFacts = async (sql: Sql): Promise<Map<SessionId, Fact[]>> => {
  const rows = await sql.query<{ fact: unknown }>('select fact from wearon.facts order by ordinal')
  return Map.groupBy(
    rows.map(({ fact }) => parseFact(fact)),
    ({ sessionId }) => sessionId,
  )
}

const readRefunds = async (sql: Sql): Promise<Evidence['refunds']> => {
  const rows = await sql.query<{ session: string; amount: number; description: string }>(
    `select session_id as session, amount, description from wearon.ledger_refunds
     where session_id is not null order by created_at`,
  )
  return rows.map(({ session, amount, description }) => ({
    sessionId: SessionId.parse(session),
    credits: amount,
    by: description.includes('refund:') ? 'us' : 'platform',
  }))
}

const readRows = async (sql: Sql): Promise<Evidence['rows']> => {
  const rows = await sql.query<{ id: string; state: string | null; seq: number | null }>(
    `select id, state, seq from public.generation_sessions
     union all select id, state, seq from public.store_generation_sessions`,
  )
  return new Map(rows.map(({ id, ...row }) => [SessionId.parse(id), row]))
}

const readBalances = async (sql: Sql): Promise<Evidence['balances']> => {
  const rows = await sql.query<{ account: string; balance: number; sum: number }>(
    `select c.user_id::text as account, c.balance, coalesce(sum(t.amount), 0)::integer as sum
     from public.user_credits c left join public.credit_transactions t using (user_id) group by c.user_id, c.balance
     union all
     select kind || ' ' || owner_id, balance, expected::integer from wearon.balance_differences where kind <> 'user'`,
  )
  return rows
}
