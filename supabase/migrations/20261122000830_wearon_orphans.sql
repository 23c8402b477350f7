-- What lost its other half: session rows for which no task came, charges without a session row, images without a completed
-- session. As of a moment, like the books.

create table if not exists wearon.orphan_objects (
  path text primary key, session_id uuid not null, stored_at timestamptz not null, first_seen_at timestamptz not null,
  seen_at timestamptz not null, gone_at timestamptz);

-- A task may lie in a list or an inbox for this long before anybody wonders.
create or replace function wearon.orphan_age() returns interval language sql immutable as $$ select interval '15 minutes' $$;

-- Users may edit their rows: one more that waits than was charged for around its time is looked at by a person.
create or replace function wearon.charges_cover(p_user uuid, p_at timestamptz) returns boolean language sql stable as $$
  select (select count(*) from public.credit_transactions as t where t.user_id = p_user and t.type = 'generation'
      and t.created_at between p_at - interval '5 minutes' and p_at + interval '5 minutes')
    >= (select count(*) from public.generation_sessions as r where r.user_id = p_user
      and r.created_at between p_at - interval '5 minutes' and p_at + interval '5 minutes')
$$;

-- Each with the name of what it lacks, of the time in which it was made. `settles`: its credit may be given back without a person,
-- once nothing unread is older.
create or replace function wearon.orphan_lines(p_as_of timestamptz, p_from timestamptz, p_until timestamptz, p_owner uuid)
returns table (class text, key text, session_id uuid, channel text, owner_id uuid, request_id text, since timestamptz, credits integer,
  settles boolean, detail text)
language plpgsql stable as $$
declare latest timestamptz := p_as_of - wearon.orphan_age(); began timestamptz;
begin
  -- Rows from before our first fact are history: what they are owed is approved, not settled.
  select (f.fact ->> 'at')::timestamptz into began from wearon.facts as f order by f.ordinal limit 1;
  return query
  select 'orphan_row', r.id::text, r.id, r.channel, r.owner_id, r.request_id, r.created_at, 1,
    r.created_at >= began and (r.channel = 'b2b' or wearon.charges_cover(r.owner_id, r.created_at)),
    format('the row says %s, and no task came for it', r.status)
  from wearon.past_rows as r
  where r.status in ('queued', 'pending', 'processing') and r.created_at < latest and (p_owner is null or r.owner_id = p_owner)
    and (p_from is null or r.created_at >= p_from) and (p_until is null or r.created_at < p_until)
    and not exists (select from wearon.facts as f where f.session_id = r.id)
  union all
  -- Given up since: it was one then.
  select 'orphan_row', s.session_id::text, s.session_id, s.channel, s.owner_id, s.request_id, coalesce(b2c.created_at, b2b.created_at), 1,
    false, 'no task came for the row'
  from wearon.refunds as s
    left join public.generation_sessions as b2c on b2c.id = s.session_id
    left join public.store_generation_sessions as b2b on b2b.id = s.session_id
  where s.requested_at > p_as_of and coalesce(b2c.created_at, b2b.created_at) < latest and (p_owner is null or s.owner_id = p_owner)
    and (p_from is null or coalesce(b2c.created_at, b2b.created_at) >= p_from)
    and (p_until is null or coalesce(b2c.created_at, b2b.created_at) < p_until)
    and exists (select from wearon.facts as f where f.session_id = s.session_id and f.seq = 1 and f.fact #>> '{data,code}' = 'task_lost')
  union all
  select 'orphan_charge', t.id::text, null, 'b2b', t.store_id, t.request_id, t.created_at, -t.amount, false,
    'charged for a request of which there is no session row'
  from public.store_credit_transactions as t
  where t.type = 'deduction' and t.created_at < latest and (p_owner is null or t.store_id = p_owner)
    and (p_from is null or t.created_at >= p_from) and (p_until is null or t.created_at < p_until)
    and not exists (select from public.store_generation_sessions as r where r.store_id = t.store_id and r.request_id = t.request_id)
    and not exists (select from wearon.refunds as s where s.owner_id = t.store_id and s.request_id = t.request_id)
    and not exists (select from public.store_credit_transactions as back where back.store_id = t.store_id
      and back.request_id = t.request_id and back.type = 'refund' and back.created_at <= p_as_of);
  if p_owner is not null then return; end if;
  return query
  select 'orphan_object', o.path, o.session_id, null, null::uuid, null, o.stored_at, 0, false,
    'an image lies in storage, and its session did not complete: ' || o.path
  from wearon.orphan_objects as o where o.first_seen_at <= p_as_of and (o.gone_at is null or o.gone_at > p_as_of)
    and (p_from is null or o.stored_at >= p_from) and (p_until is null or o.stored_at < p_until);
end $$;

-- A page of what is orphaned now, newest first.
create or replace function public.wearon_orphans(p_class text default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(page order by since desc, id desc), '[]') from (
    select * from (select coalesce(o.session_id, md5(o.key)::uuid) as id, o.* from wearon.orphan_lines(clock_timestamp(), null, null, null) as o) as line
    where (p_class is null or line.class = p_class) and (p_before is null or (line.since, line.id) < (p_before, p_before_id))
    order by line.since desc, line.id desc limit p_limit) as page);
end $$;

-- Rows that may be given up: older than `p_created_before` too, the oldest first. `p_session`: this one, whatever it is.
create or replace function public.wearon_orphan_rows(p_created_before timestamptz, p_session uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(page order by since, session_id), '[]') from (
    select o.session_id, o.channel, o.owner_id, o.request_id, o.since from wearon.orphan_lines(clock_timestamp(), null, null, null) as o
    where o.class = 'orphan_row' and case when p_session is null then o.settles and o.since < p_created_before else o.session_id = p_session end
    order by o.since, o.session_id limit p_limit) as page);
end $$;

-- Notes what a look at the storage found ([{"path", "session_id", "stored_at"}]): those whose session neither completed nor goes on.
-- After the last of a look (`p_last`), what it did not find is gone.
create or replace function public.wearon_note_objects(p_objects jsonb, p_at timestamptz, p_last boolean) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into wearon.orphan_objects as o (path, session_id, stored_at, first_seen_at, seen_at)
    select found.path, found.session_id, found.stored_at, p_at, p_at
    from jsonb_to_recordset(p_objects) as found(path text, session_id uuid, stored_at timestamptz)
    where found.stored_at < p_at - wearon.orphan_age()
      and not exists (select from wearon.facts as f where f.session_id = found.session_id and f.fact ->> 'type' = 'generation.completed')
      and not exists (select from wearon.refunds as s where s.session_id = found.session_id and s.outcome in ('open', 'completed'))
      and not exists (select from public.generation_sessions as r where r.id = found.session_id and r.status = 'completed')
      and not exists (select from public.store_generation_sessions as r where r.id = found.session_id and r.status = 'completed')
    on conflict (path) do update set seen_at = excluded.seen_at, gone_at = null;
  if p_last then
    update wearon.orphan_objects set gone_at = p_at where gone_at is null and seen_at < p_at;
    delete from wearon.orphan_objects where gone_at < p_at - interval '400 days';
  end if;
end $$;

select wearon.allow_long('wearon_orphans', 'wearon_orphan_rows');

select wearon.lock_down();
notify pgrst, 'reload schema';
