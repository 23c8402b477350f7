-- Do the books balance? Every session of ours, and every refund, balance and charge of the platform's, with its place in the books.
-- All of it as of a moment: what happened later is left out, so that the same question has the same answer later.

create index if not exists wearon_store_generation_sessions_request
  on public.store_generation_sessions (store_id, request_id);
create index if not exists refunds_requested on wearon.refunds (requested_at);
-- Transactions of a time: only ever added at the end, so that an index of blocks is enough, and costs the platform next to nothing.
create index if not exists wearon_credit_transactions_time on public.credit_transactions using brin (created_at) with (autosummarize = on);
create index if not exists wearon_store_credit_transactions_time
  on public.store_credit_transactions using brin (created_at) with (autosummarize = on);
-- Refunds by the session that they name, as `wearon.session_named` reads it: spelled out, since the platform may not call ours.
create index if not exists wearon_credit_transactions_named on public.credit_transactions ((substring(description from
  '^(?:refund:|Stuck job recovery: session )([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?: |$)')::uuid))
  where type = 'refund';
create index if not exists wearon_store_credit_transactions_named on public.store_credit_transactions ((substring(description from
  '^(?:refund:|Stuck job recovery: session )([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?: |$)')::uuid))
  where type = 'refund';

-- The shopper that a transaction is marked with: the e-mail, or the hash where it is not that of the row's shopper.
create or replace function wearon.shopper_marked(p_description text, p_shopper_email text) returns text
language sql immutable parallel safe as $$
  select case when p_description like '%shopper%' then coalesce(substring(p_description from '\(shopper=([^()]+)\)\s*$'),
    case when substring(p_description from '\[shopper_hash=([0-9a-f]{12})\]') in
      (left(md5(lower(trim(p_shopper_email))), 12), left(md5(p_shopper_email), 12)) then lower(trim(p_shopper_email))
    else substring(p_description from '\[shopper_hash=[0-9a-f]{12}\]') end) end
$$;

-- Who a transaction is of, in one word.
create or replace function wearon.account(p_channel text, p_owner uuid, p_shopper text) returns text language sql immutable parallel safe as $$
  select p_channel || ':' || p_owner::text || coalesce(' ' || p_shopper, '')
$$;

-- The ledger's refunds, each with the session that it stands for (null: none of the platform's or ours).
create or replace view wearon.ledger_refunds with (security_invoker = true) as
  select t.id, t.id::text as ledger_record, t.amount, t.created_at, 'b2c' as channel, t.user_id as owner_id, t.description,
    wearon.account('b2c', t.user_id, null) as account, coalesce(record.session_id, wearon.session_named(t.description)) as session_id
  from public.credit_transactions as t left join wearon.refund_records as record on record.ledger_record = t.id::text
  where t.type = 'refund'
  union all
  select t.id, t.id::text, t.amount, t.created_at, 'b2b', t.store_id, t.description,
    wearon.account('b2b', t.store_id, wearon.shopper_marked(t.description, r.shopper_email)),
    coalesce(record.session_id, wearon.session_named(t.description), r.id)
  from public.store_credit_transactions as t
    left join wearon.refund_records as record on record.ledger_record = t.id::text
    left join public.store_generation_sessions as r on r.store_id = t.store_id and r.request_id = t.request_id
  where t.type = 'refund';

-- The refunds that may stand for one of these sessions, so that nobody looks through the whole ledger for a few; null for so many
-- sessions that this is quicker.
create or replace function wearon.refunds_near(p_sessions uuid[]) returns uuid[] language sql stable as $$
  select case when cardinality(p_sessions) < 100000 then array(
    select r.ledger_record::uuid from wearon.refund_records as r where r.session_id = any (p_sessions) and r.ledger_record is not null
    union all
    select t.id from public.credit_transactions as t where t.type = 'refund' and wearon.session_named(t.description) = any (p_sessions)
    union all
    select t.id from public.store_credit_transactions as t where t.type = 'refund' and wearon.session_named(t.description) = any (p_sessions)
    union all
    select t.id from public.store_generation_sessions as r join public.store_credit_transactions as t
      on t.store_id = r.store_id and t.request_id = r.request_id and t.type = 'refund'
    where r.id = any (p_sessions)) end
$$;

-- The same for a part of the books; null for all of them.
create or replace function wearon.refunds_of(p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid) returns uuid[]
language plpgsql stable as $$
begin
  if p_session is not null then return wearon.refunds_near(array[p_session]); end if;
  if p_from is null and p_until is null and p_owner is null then return null; end if;
  return wearon.refunds_near(array(select s.session_id from wearon.refunds as s where (p_owner is null or s.owner_id = p_owner)
    and (p_from is null or s.requested_at >= p_from) and (p_until is null or s.requested_at < p_until)));
end $$;

-- Accounts whose balance is not the sum of its transactions; a shopper's purchases are only in its own counters.
create or replace view wearon.balance_differences with (security_invoker = true) as
  select 'user' as kind, c.user_id as owner_id, null as email, c.balance, coalesce(t.sum, 0) as expected, c.updated_at
  from public.user_credits as c left join (
    select user_id, sum(amount) as sum from public.credit_transactions group by user_id) as t using (user_id)
  where c.balance <> coalesce(t.sum, 0)
  union all
  select 'store', c.store_id, null, c.balance, coalesce(t.sum, 0), c.updated_at
  from public.store_credits as c left join (
    select store_id, sum(amount) as sum from public.store_credit_transactions
    where type <> 'overage' and coalesce(description, '') not like '%(shopper=%' and coalesce(description, '') not like '%[shopper\_hash=%'
    group by store_id) as t using (store_id)
  where c.balance <> coalesce(t.sum, 0)
  union all
  select 'shopper', store_id, shopper_email, balance, total_purchased - total_spent, updated_at
  from public.store_shopper_credits where balance <> total_purchased - total_spent;

-- One line per session of ours: what was charged, what was given back, and the name of its place in the books. `drift`: credits
-- that are not where the facts say. Sessions count for the day on which they were requested; null bounds are none. `p_refunds`: the
-- ledger's refunds that may be theirs, null for all. One query, so that whoever calls it pays for no column that is not asked for.
create or replace function wearon.session_lines(
  p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid, p_refunds uuid[])
returns table (session_id uuid, channel text, owner_id uuid, requested_at timestamptz, since timestamptz, outcome text, refund text,
  charged integer, refunds integer, given_back integer, class text, drift integer, detail text)
language sql stable as $$
  with scope as (
    select s.session_id, coalesce(s.channel, case when b2c.id is not null then 'b2c' when b2b.id is not null then 'b2b' end) as channel,
      coalesce(b2c.user_id, b2b.store_id, s.owner_id) as owner_id, s.requested_at, s.since,
      case when s.ended_at > p_as_of then 'open' else s.outcome end as outcome,
      case when s.state is null or s.since > p_as_of then null
        when s.state in ('owed', 'escalated') or s.settled_at <= p_as_of then s.state else 'owed' end as refund,
      s.waiver_reason, coalesce(s.waiver_detail, s.settled_why, s.last_error) as words, s.settled_how,
      case when made.session_id is not null then 0
        -- A user's charges name no session: each of the producer's rows stands for one credit.
        when b2c.id is not null then 1
        when charge.id is not null then -charge.amount
        -- Its row is gone: what the facts gave back was charged.
        when b2b.id is null and s.channel = 'b2c' then coalesce(s.credits, 0) else 0 end as charged,
      charge.description as charge, b2b.shopper_email,
      coalesce(b2c.status, b2b.status) as status, coalesce(b2c.credits_used, b2b.credits_used) as credits_used,
      made.session_id is not null as made,
      b2c.id is null and b2b.id is null and not exists (select from public.users where id = s.owner_id)
        and not exists (select from public.stores where id = s.owner_id) as account_gone,
      -- What the projection of rows has not written yet is no difference.
      coalesce(b2c.seq, b2b.seq, 0) >= s.seq
        or (select public.wearon_projection_position('sessions') >= public.wearon_projection_position('refunds'))
          and not exists (select from wearon.set_aside as a where a.projection = 'sessions' and a.session_id = s.session_id) as row_follows,
      coalesce(given.refunds, 0) as refunds, coalesce(given.credits, 0) as given_back, given.account, given.last_account
    from wearon.refunds as s
      left join wearon.created_rows as made on made.session_id = s.session_id
      left join public.generation_sessions as b2c on b2c.id = s.session_id
      left join public.store_generation_sessions as b2b on b2b.id = s.session_id
      left join public.store_credit_transactions as charge on charge.store_id = coalesce(b2b.store_id, s.owner_id)
        and charge.request_id = coalesce(b2b.request_id, s.request_id) and charge.type = 'deduction'
      left join (
        select l.session_id, count(*)::integer as refunds, sum(l.amount)::integer as credits,
          min(l.account) as account, max(l.account) as last_account
        from wearon.ledger_refunds as l where (p_refunds is null or l.id = any (p_refunds))
          -- The ledger's clock is not ours: what a fact of that time names was there.
          and (l.created_at <= p_as_of or (select f.settled_at <= p_as_of from wearon.refunds as f
            where f.session_id = l.session_id and f.ledger_record = l.ledger_record and f.state = 'issued'))
        group by l.session_id) as given on given.session_id = s.session_id
    where (p_session is null or s.session_id = p_session) and (p_owner is null or s.owner_id = p_owner) and s.requested_at <= p_as_of
      and (p_from is null or s.requested_at >= p_from) and (p_until is null or s.requested_at < p_until)
      -- Another worker's by then.
      and not (s.outcome = 'handed_back' and s.ended_at <= p_as_of)
    -- Computes each of these once per row.
    offset 0),
  books as (
    select s.*,
      s.refunds > 0 and (s.account, s.last_account) is distinct from (paid.account, paid.account) as wrong_payer,
      s.row_follows and s.status is not null and (
        s.outcome <> 'open' and s.status <> s.outcome or not s.made and s.charged > 0 and s.credits_used is distinct from s.charged)
        or s.refund = 'waived' and s.waiver_reason = 'row_completed' as row_differs
    from scope as s cross join lateral (select wearon.account(s.channel, s.owner_id,
      case when s.channel = 'b2b' then wearon.shopper_marked(s.charge, s.shopper_email) end) as account) as paid),
  named as (
    select b.*, case
      when b.account_gone then 'account_gone'
      when b.refunds > 1 then 'duplicate'
      when b.refunds > 0 and (b.outcome = 'completed' or b.refund = 'waived') then 'unexpected'
      when b.refunds > 0 and b.refund = 'settled' and b.settled_how <> 'given_by_platform' then 'duplicate'
      when b.wrong_payer then 'wrong_payer'
      when b.refunds > 0 and b.outcome = 'failed' and b.given_back <> b.charged then 'amount_differs'
      when b.refunds = 0 and b.refund = 'issued' then 'missing'
      when b.row_differs then 'row_differs'
      when b.outcome = 'completed' then 'matched'
      when b.outcome = 'open' then case when p_as_of - b.requested_at > interval '2 hours' then 'stuck' else 'open' end
      when b.refunds > 0 then 'matched'
      when b.refund = 'waived' then b.waiver_reason
      when b.refund = 'settled' then 'settled'
      when b.refund is null then 'imported'
      when p_as_of - b.since > interval '1 hour' then 'overdue'
      else 'owed' end as class
    from books as b offset 0)
  select n.session_id, n.channel, n.owner_id, n.requested_at, coalesce(n.since, n.requested_at), n.outcome, n.refund, n.charged, n.refunds,
    n.given_back, n.class, case
      when n.class = 'wrong_payer' then n.given_back
      when n.class in ('duplicate', 'unexpected', 'amount_differs', 'missing') then abs(n.given_back
        - case when n.outcome = 'failed' and n.refund not in ('waived', 'settled') then n.charged else 0 end)
      else 0 end,
    case when n.class = 'row_differs' then format('the row says %s and %s credits', n.status, n.credits_used) else n.words end
  from named as n
$$;

-- Refunds of no session of ours. What the platform settled before a task came to us is explained by its own failed row.
create or replace function wearon.unknown_refunds(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid)
returns setof wearon.ledger_refunds language plpgsql stable as $$
begin
  return query
  select l.* from (
    select one.* from wearon.ledger_refunds as one
    where one.created_at <= p_as_of and (p_from is null or one.created_at >= p_from) and (p_until is null or one.created_at < p_until)
      and (p_owner is null or one.owner_id = p_owner) and not exists (select from wearon.refunds as s where s.session_id = one.session_id)
    -- Only few are left, and looked up one by one in tables that are never read as a whole.
    offset 0) as l
  where not (l.session_id is null and l.description = 'Queue error - refund')
    -- The archive has sessions that the books do not have yet.
    and (select true from wearon.facts as f where f.session_id = l.session_id limit 1) is null
    and (select true from public.generation_sessions as r where r.id = l.session_id and r.status = 'failed' and r.state is null) is null
    and (select true from public.store_generation_sessions as r
      where r.id = l.session_id and r.status = 'failed' and r.state is null) is null;
end $$;

-- Days on which a user was charged for more or fewer sessions than the producer wrote rows; of days that are over, since charge
-- and row come one after the other. A charge just before midnight whose row came just after it shows as two days that cancel out.
create or replace function wearon.charge_differences(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid)
returns table (user_id uuid, day date, charges integer, sessions integer) language plpgsql stable as $$
begin
  -- No day begins in this part.
  if date_trunc('day', p_until - interval '1 microsecond', 'UTC') < p_from then return; end if;
  return query
  with days as (
    select one.user_id, one.day, sum(one.charges)::integer as charges, sum(one.sessions)::integer as sessions from (
      select r.user_id, (r.created_at at time zone 'UTC')::date as day, 0 as charges, 1 as sessions
      from public.generation_sessions as r left join wearon.created_rows as made on made.session_id = r.id
      where made.session_id is null and r.created_at <= p_as_of and (p_owner is null or r.user_id = p_owner)
        and (p_from is null or r.created_at >= p_from - interval '1 day') and (p_until is null or r.created_at < p_until + interval '1 day')
      union all
      select t.user_id, (t.created_at at time zone 'UTC')::date, -t.amount, 0 from public.credit_transactions as t
      where t.type = 'generation' and t.created_at <= p_as_of and (p_owner is null or t.user_id = p_owner)
        and (p_from is null or t.created_at >= p_from - interval '1 day') and (p_until is null or t.created_at < p_until + interval '1 day')
    ) as one group by one.user_id, one.day having sum(one.charges) <> sum(one.sessions)),
  neighbours as (
    select d.*, lag(d.day) over w = d.day - 1 and lag(d.charges - d.sessions) over w = d.sessions - d.charges as after,
      lead(d.day) over w = d.day + 1 and lead(d.charges - d.sessions) over w = d.sessions - d.charges as before
    from days as d window w as (partition by d.user_id order by d.day))
  select n.user_id, n.day, n.charges, n.sessions from neighbours as n
  where n.after is not true and n.before is not true and n.day < ((p_as_of - interval '1 minute') at time zone 'UTC')::date
    and (p_from is null or n.day::timestamp at time zone 'UTC' >= p_from) and (p_until is null or n.day::timestamp at time zone 'UTC' < p_until);
end $$;

-- Everything else that has a place in the books and a time, in one form.
create or replace function wearon.other_lines(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid)
returns table (class text, kind text, key text, session_id uuid, channel text, owner_id uuid, email text, ledger_record text,
  since timestamptz, charged integer, given_back integer, drift integer, detail text)
language plpgsql stable as $$
begin
  return query
  select 'set_aside', 'session', a.session_id::text, a.session_id, null::text, null::uuid, null::text, null::text, min(a.set_aside_at), 0, 0, 0,
    (array_agg(a.reason order by a.seq))[1]
  from wearon.set_aside as a where a.projection = 'refunds' and p_owner is null and (p_session is null or a.session_id = p_session)
  group by a.session_id
  having (p_from is null or min(a.set_aside_at) >= p_from) and (p_until is null or min(a.set_aside_at) < p_until);
  if p_session is not null then return; end if;
  return query
  select 'unknown_to_us', 'refund', l.ledger_record, l.session_id, l.channel, l.owner_id, null::text, l.ledger_record, l.created_at,
    0, l.amount, l.amount, l.description
  from wearon.unknown_refunds(p_as_of, p_from, p_until, p_owner) as l
  union all
  select 'charges_differ', 'day', d.user_id || '|' || d.day, null, 'b2c', d.user_id, null, null, d.day::timestamp at time zone 'UTC',
    d.charges, 0, abs(d.charges - d.sessions), format('%s charges for %s sessions on %s', d.charges, d.sessions, d.day)
  from wearon.charge_differences(p_as_of, p_from, p_until, p_owner) as d;
  return query
  select o.class, case o.class when 'orphan_row' then 'session' when 'orphan_charge' then 'charge' else 'object' end, o.key, o.session_id,
    o.channel, o.owner_id, null::text, null::text, o.since, o.credits, 0, 0, o.detail
  from wearon.orphan_lines(p_as_of, p_from, p_until, p_owner) as o;
end $$;

-- Balances are as they are, of no day: they belong to no part of the books but an owner's.
create or replace function wearon.balance_lines(p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid)
returns table (class text, kind text, key text, session_id uuid, channel text, owner_id uuid, email text, ledger_record text,
  since timestamptz, charged integer, given_back integer, drift integer, detail text)
language plpgsql stable as $$
begin
  if p_from is not null or p_until is not null or p_session is not null then return; end if;
  return query
  select 'balance_differs', 'account', concat(b.owner_id, '|', b.email), null::uuid, case b.kind when 'user' then 'b2c' else 'b2b' end, b.owner_id,
    b.email, null::text, b.updated_at, 0, 0, abs(b.balance - b.expected)::integer,
    format('the %s has %s credits, its transactions add up to %s', b.kind, b.balance, b.expected)
  from wearon.balance_differences as b where p_owner is null or b.owner_id = p_owner;
end $$;

select wearon.lock_down();
