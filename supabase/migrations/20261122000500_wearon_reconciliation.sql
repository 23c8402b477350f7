-- Do the books balance? The facts' sessions and refunds held against the platform's credit tables.

-- The ledger's refunds, each with the session that it stands for (null: none of the platform's or ours).
create or replace view wearon.ledger_refunds with (security_invoker = true) as
  select t.id::text as ledger_record, t.amount, t.created_at, 'b2c' as channel, t.user_id as owner_id, t.description,
    coalesce(record.session_id,
      substring(t.description from '^(?:refund:|Stuck job recovery: session )([0-9a-f]{8}-[0-9a-f-]{27})(?: |$)')::uuid) as session_id
  from public.credit_transactions as t left join wearon.refund_records as record on record.ledger_record = t.id::text
  where t.type = 'refund'
  union all
  select t.id::text, t.amount, t.created_at, 'b2b', t.store_id, t.description, r.id
  from public.store_credit_transactions as t
    left join public.store_generation_sessions as r on r.store_id = t.store_id and r.request_id = t.request_id
  where t.type = 'refund';

create index if not exists wearon_store_generation_sessions_request
  on public.store_generation_sessions (store_id, request_id);

-- One line per session of ours: what was charged, what was given back, and the name of its place in the books.
create or replace view wearon.session_books with (security_invoker = true) as
  with given as (
    select session_id, count(*) as refunds, sum(amount) as given_back from wearon.ledger_refunds group by session_id)
  select s.session_id, s.channel, s.owner_id, s.outcome, s.state as refund, s.waiver_reason as waiver, s.since,
    coalesce(given.refunds, 0) as refunds, coalesce(given.given_back, 0) as given_back,
    case when made.session_id is not null then 0
      -- A user's charges name no session: each of the producer's rows stands for one credit.
      when b2c.id is not null then 1
      else coalesce(-charge.amount, 0) end as charged
  from wearon.refunds as s
    left join given using (session_id)
    left join wearon.created_rows as made using (session_id)
    left join public.generation_sessions as b2c on b2c.id = s.session_id
    left join public.store_generation_sessions as b2b on b2b.id = s.session_id
    left join public.store_credit_transactions as charge
      on charge.store_id = b2b.store_id and charge.request_id = b2b.request_id and charge.type = 'deduction';

create or replace function wearon.session_class(p wearon.session_books, p_as_of timestamptz) returns text language sql immutable as $$
  select case
    when p.refunds > 1 then 'duplicate'
    when p.outcome = 'completed' then case when p.refunds > 0 then 'unexpected' else 'matched' end
    when p.outcome = 'open' then 'open'
    when p.refund = 'issued' and p.refunds = 0 then 'missing'
    when p.refunds > 0 then case when p.given_back = p.charged then 'matched' else 'amount_differs' end
    when p.refund = 'waived' then coalesce(p.waiver, 'never_charged')
    when p.refund = 'settled' then 'settled'
    when p.refund is null then 'imported'
    when p_as_of - p.since > interval '1 hour' then 'overdue'
    else 'owed' end
$$;

-- Refunds of no session of ours. What the platform settled before a task came to us is explained by its own failed row.
create or replace view wearon.unknown_refunds with (security_invoker = true) as
  select refund.* from wearon.ledger_refunds as refund
  where not exists (select from wearon.refunds as s where s.session_id = refund.session_id)
    and not (refund.session_id is null and refund.description = 'Queue error - refund')
    and not exists (select from public.generation_sessions as r
      where r.id = refund.session_id and r.status = 'failed' and r.state is null)
    and not exists (select from public.store_generation_sessions as r
      where r.id = refund.session_id and r.status = 'failed' and r.state is null);

-- Accounts whose balance is not the sum of its transactions; a shopper's purchases are only in its own counters.
create or replace view wearon.balance_differences with (security_invoker = true) as
  select 'user' as kind, c.user_id as owner_id, null as email, c.balance, coalesce(sum(t.amount), 0) as expected
  from public.user_credits as c left join public.credit_transactions as t using (user_id)
  group by c.user_id, c.balance having c.balance <> coalesce(sum(t.amount), 0)
  union all
  select 'store', c.store_id, null, c.balance, coalesce(sum(t.amount), 0)
  from public.store_credits as c left join public.store_credit_transactions as t
    on t.store_id = c.store_id and t.type <> 'overage' and coalesce(t.description, '') !~ '\(shopper=|\[shopper_hash='
  group by c.store_id, c.balance having c.balance <> coalesce(sum(t.amount), 0)
  union all
  select 'shopper', store_id, shopper_email, balance, total_purchased - total_spent
  from public.store_shopper_credits where balance <> total_purchased - total_spent;

create or replace function public.wearon_reconciliation(p_as_of timestamptz) returns json
language sql stable security definer set search_path = '' as $$
  with lines as materialized (
    select books.*, wearon.session_class(books, p_as_of) as class,
      greatest(books.charged - books.given_back, 0) as remainder,
      case when books.outcome = 'open' then 'open'
        when books.outcome = 'failed' and books.refund in ('owed', 'escalated', 'issued') then 'owed' else 'kept' end as bucket
    from wearon.session_books as books),
  classes as (
    select class as name, count(*) as count from lines group by class
    union all select 'unknown_to_us', count(*) from wearon.unknown_refunds
    union all select 'balance_differs', count(*) from wearon.balance_differences
    union all select 'set_aside', count(distinct session_id) from wearon.set_aside where projection = 'refunds'),
  sums as (
    select coalesce(sum(charged), 0) as charged, coalesce(sum(given_back), 0) as given_back,
      coalesce(sum(remainder) filter (where bucket = 'kept'), 0) as kept,
      coalesce(sum(remainder) filter (where bucket = 'owed'), 0) as owed,
      coalesce(sum(remainder) filter (where bucket = 'open'), 0) as open from lines)
  select json_build_object(
    'asOf', to_char(p_as_of at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'position', public.wearon_projection_position('refunds'),
    'charged', charged, 'kept', kept, 'givenBack', given_back, 'owed', owed, 'open', open,
    'classes', (select coalesce(json_object_agg(name, count), '{}') from classes where count > 0),
    'balanced', charged = kept + given_back + owed + open and not exists (select from classes where count > 0 and name in
      ('duplicate', 'unexpected', 'missing', 'amount_differs', 'unknown_to_us', 'balance_differs')))
  from sums
$$;

select wearon.lock_down();
