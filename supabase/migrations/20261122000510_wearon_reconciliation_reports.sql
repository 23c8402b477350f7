-- What finance reads of the books: the summary, the exceptions, the totals per day, channel and owner, one session's story, and
-- the runs, which show how far the books drifted over time.

-- Each run is repeatable: the same moment and positions give the same checksum, unless somebody edited what was there before.
create table if not exists wearon.reconciliation_runs (
  id uuid primary key default public.uuid_generate_v7(), as_of timestamptz not null, summary jsonb not null);
create index if not exists reconciliation_runs_newest on wearon.reconciliation_runs (as_of desc, id desc);

create or replace function wearon.utc(p_at timestamptz) returns text language sql immutable as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The moment that is asked for: now by the ledger's clock, rounded up so that nothing of this moment is missed.
create or replace function wearon.moment(p_as_of timestamptz) returns timestamptz language sql volatile as $$
  select coalesce(p_as_of, date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond')
$$;

-- Where a session's charge is, apart from what was given back.
create or replace function wearon.bucket(p_outcome text, p_refund text) returns text language sql immutable as $$
  select case when p_outcome = 'open' then 'open'
    when p_outcome = 'failed' and p_refund in ('owed', 'escalated', 'issued') then 'owed' else 'kept' end
$$;

create or replace function wearon.age_bucket(p_age interval) returns text language sql immutable as $$
  select case when p_age < interval '1 hour' then 'under_1h' when p_age < interval '24 hours' then 'under_24h'
    when p_age < interval '7 days' then 'under_7d' else 'older' end
$$;

-- Credits are not where the facts say.
create or replace function wearon.is_imbalance(p_class text) returns boolean language sql immutable as $$
  select p_class in ('duplicate', 'unexpected', 'missing', 'amount_differs', 'wrong_payer', 'unknown_to_us', 'balance_differs', 'charges_differ')
$$;

create or replace function wearon.is_exception(p_class text) returns boolean language sql immutable as $$
  select p_class not in ('matched', 'open', 'owed', 'settled', 'imported', 'account_gone')
$$;

-- A number for a line; the sum over all lines names the whole, in whatever order they come. Not md5, which took as long as the rest.
create or replace function wearon.line_hash(p_line text) returns bigint language sql immutable parallel safe as $$
  select hashtextextended(p_line, 0)
$$;

create or replace function public.wearon_reconciliation(p_as_of timestamptz default null, p_from timestamptz default null,
  p_until timestamptz default null, p_owner uuid default null, p_session uuid default null) returns json
language plpgsql stable security definer set search_path = '' set work_mem = '64MB' set random_page_cost = 1.1 as $$
declare as_of constant timestamptz := wearon.moment(p_as_of);
  near constant uuid[] := wearon.refunds_of(p_from, p_until, p_owner, p_session);
begin
  return (with cube as materialized (
    select l.class, l.channel, l.outcome, l.refund, case when l.class in ('owed', 'overdue') then wearon.age_bucket(as_of - l.since) end as age,
      count(*) as sessions, sum(l.charged) as charged, sum(l.given_back) as given_back,
      sum(greatest(l.charged - l.given_back, 0)) as remainder, sum(l.drift) as drift, min(l.since) as since,
      sum(wearon.line_hash(concat_ws('|', l.session_id, l.class, l.charged, l.refunds, l.given_back))) as hash
    from wearon.session_lines(as_of, p_from, p_until, p_owner, p_session, near) as l group by 1, 2, 3, 4, 5),
  others as materialized (
    select o.class, count(*) as count, sum(o.drift) as drift,
      sum(wearon.line_hash(concat_ws('|', o.kind, o.key, o.class, o.charged, o.given_back, o.drift))) as hash
    from (select * from wearon.other_lines(as_of, p_from, p_until, p_owner, p_session)
      union all select * from wearon.balance_lines(p_from, p_until, p_owner, p_session)) as o group by 1),
  classes as (select class, sum(sessions) as count from cube group by class union all select class, count from others),
  sums as (
    select coalesce(sum(sessions), 0) as sessions, coalesce(sum(charged), 0) as charged, coalesce(sum(given_back), 0) as given_back,
      coalesce(sum(remainder) filter (where wearon.bucket(outcome, refund) = 'kept'), 0) as kept,
      coalesce(sum(remainder) filter (where wearon.bucket(outcome, refund) = 'owed'), 0) as owed,
      coalesce(sum(remainder) filter (where wearon.bucket(outcome, refund) = 'open'), 0) as open,
      coalesce(sum(drift), 0) + (select coalesce(sum(o.drift), 0) from others as o) as drift,
      coalesce(sum(hash), 0) + (select coalesce(sum(o.hash), 0) from others as o) as hash,
      coalesce(sum(sessions) filter (where refund = 'escalated'), 0) as escalated,
      min(since) filter (where class in ('owed', 'overdue')) as oldest from cube)
  select json_build_object('asOf', wearon.utc(as_of), 'position', public.wearon_projection_position('refunds'),
    'ledgerLines', (select count(*) from public.credit_transactions where created_at <= as_of)
      + (select count(*) from public.store_credit_transactions where created_at <= as_of),
    'checksum', md5(s.hash::text),
    'sessions', s.sessions, 'charged', s.charged, 'kept', s.kept, 'givenBack', s.given_back, 'owed', s.owed, 'open', s.open,
    'drift', s.drift, 'escalated', s.escalated,
    'oldestOwedSeconds', case when s.oldest is null then null else floor(extract(epoch from as_of - s.oldest)) end,
    'classes', (select coalesce(json_object_agg(class, count), '{}') from classes),
    'ages', (select coalesce(json_object_agg(age, json_build_object('sessions', sessions, 'credits', credits)), '{}') from (
      select age, sum(sessions) as sessions, sum(remainder) as credits from cube where class in ('owed', 'overdue') group by age) as ages),
    'channels', (select coalesce(json_object_agg(coalesce(channel, 'unknown'), json_build_object('sessions', sessions, 'charged', charged,
        'givenBack', given_back, 'drift', drift)), '{}') from (
      select channel, sum(sessions) as sessions, sum(charged) as charged, sum(given_back) as given_back, sum(drift) as drift
      from cube group by channel) as channels),
    'balanced', s.charged = s.kept + s.given_back + s.owed + s.open and not exists (select from classes where wearon.is_imbalance(class)))
  from sums as s);
end $$;

-- Where the next part of the books ends, so many sessions before or after a moment (null: at the newest or the oldest one); null
-- when there are no more sessions than that.
create or replace function wearon.part_below(p_until timestamptz, p_from timestamptz, p_owner uuid, p_sessions integer) returns timestamptz
language plpgsql stable as $$
begin
  return (select s.requested_at from wearon.refunds as s where (p_owner is null or s.owner_id = p_owner)
      and (p_until is null or s.requested_at < p_until) and (p_from is null or s.requested_at >= p_from)
    order by s.requested_at desc offset p_sessions limit 1);
end $$;
create or replace function wearon.part_above(p_from timestamptz, p_until timestamptz, p_owner uuid, p_sessions integer) returns timestamptz
language plpgsql stable as $$
begin
  return (select s.requested_at from wearon.refunds as s where (p_owner is null or s.owner_id = p_owner)
      and (p_from is null or s.requested_at >= p_from) and (p_until is null or s.requested_at < p_until)
    order by s.requested_at offset p_sessions limit 1);
end $$;

-- The lines of a part that are exceptions, or of one class; the newest of them before a line. A line's id is its session's, or made
-- from its key; `place` orders it: a session by its request, a balance, which is of no day, before everything.
create or replace function wearon.placed_lines(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid,
  p_balances boolean, p_class text, p_before timestamptz, p_before_id uuid, p_limit integer) returns json[]
language plpgsql stable as $$
declare near constant uuid[] := wearon.refunds_of(p_from, p_until, p_owner, p_session);
begin
  return array(select to_json(line) from (
      select l.class, 'session' as kind, l.session_id as id, l.session_id, l.channel, l.owner_id, r.payer_email as email, r.ledger_record,
        l.since, l.requested_at as place, l.charged, l.given_back, l.drift, concat_ws(', ', l.outcome, l.refund, l.detail) as detail
      from wearon.session_lines(p_as_of, p_from, p_until, p_owner, p_session, near) as l
        join wearon.refunds as r on r.session_id = l.session_id
      union all
      select o.class, o.kind, case o.kind when 'session' then o.session_id else md5(o.kind || ':' || o.key)::uuid end, o.session_id, o.channel,
        o.owner_id, o.email, o.ledger_record, o.since, o.place, o.charged, o.given_back, o.drift, o.detail
      from (select *, since as place from wearon.other_lines(p_as_of, p_from, p_until, p_owner, p_session)
        union all select *, timestamptz '9999-12-31 00:00Z' from wearon.balance_lines(null, null, p_owner, p_session) where p_balances) as o) as line
    where case when p_class is null then wearon.is_exception(line.class) else line.class = p_class end
      and (p_before is null or (line.place, line.id) < (p_before, p_before_id))
    order by line.place desc, line.id desc limit p_limit);
end $$;

-- A page of exceptions (or of the lines of one class), newest first. Looks through some sessions, then through ten times as many,
-- then through all, until the page is full: where there are many lines, a page costs what lies between its first and its last.
create or replace function public.wearon_exceptions(p_as_of timestamptz default null, p_from timestamptz default null, p_until timestamptz default null,
  p_owner uuid default null, p_session uuid default null, p_class text default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' set work_mem = '64MB' set random_page_cost = 1.1 as $$
declare as_of constant timestamptz := wearon.moment(p_as_of);
  balances boolean := p_from is null and p_until is null and coalesce(p_before >= '9999-12-31 00:00Z', true);
  part integer := 5000; high timestamptz := least(p_until, p_before + interval '1 microsecond'); low timestamptz; found json[] := '{}';
begin
  loop
    low := case when p_session is null and part < 100000 then wearon.part_below(high, p_from, p_owner, part) end;
    found := found || wearon.placed_lines(as_of, coalesce(low, p_from), high, p_owner, p_session,
      balances, p_class, p_before, p_before_id, p_limit - cardinality(found));
    exit when low is null or cardinality(found) >= p_limit;
    high := low; part := part * 10; balances := false;
  end loop;
  return array_to_json(found);
end $$;

-- The totals of a part per day, channel and owner, in that order; those behind a day and owner.
create or replace function wearon.placed_totals(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid, p_session uuid,
  p_after_day timestamptz, p_after_owner uuid, p_limit integer) returns json[]
language plpgsql stable as $$
declare near constant uuid[] := wearon.refunds_of(p_from, p_until, p_owner, p_session);
  none constant uuid := '00000000-0000-0000-0000-000000000000';
begin
  return array(select to_json(total) from (
    select day, owner_id, max(channel) as channel, sum(sessions) as sessions, sum(charged) as charged, sum(given_back) as given_back,
      coalesce(sum(kept), 0) as kept, coalesce(sum(owed), 0) as owed, coalesce(sum(open), 0) as open, sum(drift) as drift,
      json_object_agg(class, sessions) as classes
    from (
      select date_trunc('day', l.requested_at at time zone 'UTC') at time zone 'UTC' as day, coalesce(l.owner_id, none) as owner_id, l.class,
        max(l.channel) as channel, count(*) as sessions, sum(l.charged) as charged, sum(l.given_back) as given_back, sum(l.drift) as drift,
        sum(greatest(l.charged - l.given_back, 0)) filter (where wearon.bucket(l.outcome, l.refund) = 'kept') as kept,
        sum(greatest(l.charged - l.given_back, 0)) filter (where wearon.bucket(l.outcome, l.refund) = 'owed') as owed,
        sum(greatest(l.charged - l.given_back, 0)) filter (where wearon.bucket(l.outcome, l.refund) = 'open') as open
      from wearon.session_lines(p_as_of, p_from, p_until, p_owner, p_session, near) as l group by 1, 2, 3) as by_class
    where p_after_day is null or (day, owner_id) > (p_after_day, p_after_owner)
    group by day, owner_id order by day, owner_id limit p_limit) as total);
end $$;

-- A page of the totals: whole days at a time, until the page is full.
create or replace function public.wearon_totals(p_as_of timestamptz default null, p_from timestamptz default null, p_until timestamptz default null,
  p_owner uuid default null, p_session uuid default null, p_after_day timestamptz default null, p_after_owner uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' set work_mem = '64MB' set random_page_cost = 1.1 as $$
declare as_of constant timestamptz := wearon.moment(p_as_of); part integer := 5000; low timestamptz := greatest(p_from, p_after_day);
  high timestamptz; found json[] := '{}';
begin
  loop
    high := case when p_session is null and part < 100000 then
      (date_trunc('day', wearon.part_above(low, p_until, p_owner, part) at time zone 'UTC') + interval '1 day') at time zone 'UTC' end;
    found := found || wearon.placed_totals(as_of, low, least(high, p_until), p_owner, p_session, p_after_day, p_after_owner,
      p_limit - cardinality(found));
    exit when high is null or high >= p_until or cardinality(found) >= p_limit;
    low := high; part := part * 10;
  end loop;
  return array_to_json(found);
end $$;

-- Keeps what the books say now, unless the last run is younger; of several processes that ask at once one does it. Answers the last run.
create or replace function public.wearon_reconcile(p_every_ms bigint) returns json
language plpgsql security definer set search_path = '' as $$
declare last wearon.reconciliation_runs; as_of timestamptz;
begin
  perform pg_advisory_xact_lock(hashtext('wearon.reconciliation_runs'));
  as_of := wearon.moment(null);
  select * into last from wearon.reconciliation_runs as r order by r.as_of desc, r.id desc limit 1;
  if last.id is null or last.as_of < as_of - make_interval(secs => p_every_ms / 1000.0) then
    insert into wearon.reconciliation_runs as r (as_of, summary) values (as_of, public.wearon_reconciliation(as_of)) returning * into last;
    delete from wearon.reconciliation_runs as r where r.as_of < last.as_of - interval '400 days';
  end if;
  return jsonb_build_object('id', last.id) || last.summary;
end $$;

create or replace function public.wearon_reconciliation_runs(
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(jsonb_build_object('id', id) || summary order by as_of desc, id desc), '[]') from (
    select * from wearon.reconciliation_runs as r where p_before is null or (r.as_of, r.id) < (p_before, p_before_id)
    order by r.as_of desc, r.id desc limit p_limit) as page
$$;

-- What lies behind one refund: the record, the session row and its transactions as they are now, oldest first; null for an unknown one.
create or replace function public.wearon_refund_story(p_session uuid) returns json
language plpgsql stable security definer set search_path = '' as $$
declare owner uuid; request text;
begin
  if not exists (select from wearon.refunds where session_id = p_session) then return null; end if;
  select coalesce(b.store_id, s.owner_id), coalesce(b.request_id, s.request_id) into owner, request
    from wearon.refunds as s left join public.store_generation_sessions as b on b.id = s.session_id where s.session_id = p_session;
  return (select json_build_object(
    'refund', (select to_json(r) from wearon.refunds as r where r.session_id = p_session),
    'decision', (select json_build_object('kind', d.kind, 'data', d.data, 'evidence', d.evidence, 'recordedAt', wearon.utc(d.recorded_at))
      from wearon.refund_records as d where d.session_id = p_session),
    'ledger', (select coalesce(json_agg(json_build_object('id', id, 'type', type, 'amount', amount, 'account', account, 'description', description,
        'createdAt', wearon.utc(created_at)) order by created_at, id), '[]') from (
      select t.id::text, t.type, t.amount, 'store:' || t.store_id as account, t.description, t.created_at from public.store_credit_transactions as t
      where t.store_id = owner and t.request_id = request
      union
      select l.ledger_record, 'refund', l.amount, case l.channel when 'b2c' then 'user:' else 'store:' end || l.owner_id, l.description, l.created_at
      from wearon.ledger_refunds as l where l.session_id = p_session and l.id = any (wearon.refunds_near(array[p_session]))) as lines)));
end $$;

select wearon.lock_down();
