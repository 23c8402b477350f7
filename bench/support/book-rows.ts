import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** Days over which the sessions are spread. */
const DAYS = 60

/**
 * Fills an empty, migrated database with the books of so many sessions: half of users and half of stores, every third one
 * failed and given back. The platform's rows and credit tables, our rows, and two facts of each session.
 */
export const makeBookRows = async (sql: Sql, sessions: number): Promise<void> => {
  const [users, stores] = [Math.ceil(sessions / 50), Math.ceil(sessions / 2_000)]
  const placed = `create temporary table placed as
    select md5('session' || n)::uuid as session, md5(case when n % 2 = 0 then 'user' || (n / 2) % ${users}
        else 'store' || (n / 2) % ${stores} end)::uuid as owner, n % 2 = 0 as of_user, n % 3 = 0 as lost, n,
      now() - (${sessions} - n) * interval '${DAYS} days' / ${sessions} - interval '3 hours' as at
    from generate_series(1, ${sessions}) as n`
  // As one script, so that one connection runs it: without the platform's triggers and foreign keys, and with them again.
  const statements = [placed, 'set session_replication_role = replica', ...platformRows, ...ourRows]
  await sql.script([...statements, 'set session_replication_role = default', 'drop table placed'].join(';\n'))
  await sql.script('vacuum analyze')
}

const platformRows = [
  `insert into public.users (id, email) select distinct owner, owner || '@example.com' from placed where of_user`,
  `insert into public.stores (id, shop_domain) select distinct owner, owner || '.example.com' from placed where not of_user`,
  `insert into public.generation_sessions (id, user_id, status, model_image_url, prompt_system, created_at, state, seq, origin)
   select session, owner, case when lost then 'failed' else 'completed' end, 'expired', '', at,
     case when lost then 'refunded' else 'completed' end, 5, 'producer' from placed where of_user`,
  `insert into public.store_generation_sessions
     (id, store_id, status, model_image_url, prompt_system, request_id, created_at, state, seq, origin)
   select session, owner, case when lost then 'failed' else 'completed' end, 'expired', '', 'req_' || session, at,
     case when lost then 'refunded' else 'completed' end, 5, 'producer' from placed where not of_user`,
  `insert into public.credit_transactions (user_id, amount, type, description, created_at)
   select owner, -1, 'generation', 'Image generation', at from placed where of_user union all
   select owner, 1, 'refund', 'refund:' || session, at + interval '1 minute' from placed where of_user and lost`,
  `insert into public.store_credit_transactions (store_id, amount, type, request_id, description, created_at)
   select owner, -1, 'deduction', 'req_' || session, 'Generation credit deduction', at from placed where not of_user union all
   select owner, 1, 'refund', 'req_' || session, 'refund:' || session, at + interval '1 minute' from placed
     where not of_user and lost`,
  `insert into public.user_credits (user_id, balance) select u.id, 1000 from public.users as u`,
  `insert into public.store_credits (store_id, balance) select s.id, 100000 from public.stores as s`,
  `insert into public.credit_transactions (user_id, amount, type, description, created_at)
   select user_id, 1000 - coalesce(sum(amount), 0), 'signup_bonus', 'credits', min(created_at) - interval '1 day'
   from public.credit_transactions group by user_id`,
  `insert into public.store_credit_transactions (store_id, amount, type, description, created_at)
   select store_id, 100000 - coalesce(sum(amount), 0), 'purchase', 'credits', min(created_at) - interval '1 day'
   from public.store_credit_transactions group by store_id`,
]

const records = (table: string) =>
  `insert into wearon.refund_records (session_id, kind, data, ledger_record)
   select substr(description, 8)::uuid, 'issued', '{}', id::text from public.${table} where type = 'refund'`

const ourRows = [
  records('credit_transactions'),
  records('store_credit_transactions'),
  `insert into wearon.refunds (session_id, seq, channel, owner_id, request_id, requested_at, outcome, ended_at, state, since, tries,
     credits, ledger_record, how, settled_at)
   select p.session, 5, case when of_user then 'b2c' else 'b2b' end, owner, 'req_' || session, at,
     case when lost then 'failed' else 'completed' end, at + interval '30 seconds', r.kind,
     case when lost then at + interval '30 seconds' end, case when lost then 0 end, case when lost then 1 end, r.ledger_record,
     case when lost then 'paid' end, case when lost then at + interval '1 minute' end
   from placed as p left join wearon.refund_records as r on r.session_id = p.session order by n`,
  `insert into wearon.facts (ordinal, session_id, seq, partition, step, fact)
   select 2 * n + seq - 2, session, seq, 0, n / 100, jsonb_build_object('type', type, 'sessionId', session, 'seq', seq, 'at', wearon.utc(at))
   from placed, (values (1, 'generation.requested'), (2, 'generation.started')) as fact(seq, type)`,
  `insert into wearon.projections (name, position) select name, 2 * count(*) from placed, (values ('sessions'), ('refunds')) as of(name)
   group by name`,
]
