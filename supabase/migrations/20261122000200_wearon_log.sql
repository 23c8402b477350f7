-- The event log on PostgreSQL: an inbox and a journal per partition, and who owns it.
-- Only direct connections call what is here, so nothing of it is granted to the API's roles.
--
-- Every access goes by primary key. The functions switch scans and hash joins off, because a plan that was made and cached
-- while a table was empty would go on to scan it when it is large.

create schema if not exists wearon;

-- One row: what was fixed when the log was created.
create table if not exists wearon.log_meta (
  only_row boolean primary key default true check (only_row),
  identity text not null,
  partitions int not null check (partitions > 0),
  created_at timestamptz not null default now()
);

-- A partition is held by `owner` for as long as that member's row has not expired: one small update extends all its leases.
create table if not exists wearon.log_members (
  id text primary key,
  joined bigint generated always as identity,
  joins boolean not null,
  expires_at timestamptz not null
);

create table if not exists wearon.log_partitions (
  partition int primary key,
  owner text,
  epoch bigint not null default 0,
  -- Null while nobody owns it, so that no commit passes.
  token text,
  head_number bigint not null default 0,
  head_id text,
  consumed bigint not null default 0,
  forgotten_until timestamptz,
  letters_dropped bigint not null default 0
) with (fillfactor = 20);

-- Apart from the partitions, so that who publishes does not wait for who commits.
create table if not exists wearon.log_inboxes (
  partition int primary key,
  published bigint not null default 0
) with (fillfactor = 20);

create table if not exists wearon.log_inbox (
  partition int not null,
  number bigint not null,
  source text not null,
  bytes bytea not null,
  primary key (partition, number)
);

-- `facts` is json and not jsonb: it is kept as it was written, and nobody searches in it here.
create table if not exists wearon.log_journal (
  partition int not null,
  number bigint not null,
  id text not null,
  previous text,
  epoch bigint not null,
  format int not null,
  at timestamptz not null,
  fact_count int not null,
  facts json not null,
  primary key (partition, number)
);

-- Open sessions with their context, and the tombstones of closed ones without.
create table if not exists wearon.log_sessions (
  partition int not null,
  id uuid not null,
  seq int not null,
  state text not null,
  format int not null,
  context json,
  owes boolean not null,
  closed_at timestamptz,
  primary key (partition, id)
) with (fillfactor = 70);
create index if not exists log_sessions_owing on wearon.log_sessions (partition, id) where owes;
create index if not exists log_sessions_closed on wearon.log_sessions (partition, closed_at desc, id desc) where closed_at is not null;

-- `number`: where it last lay in the inbox. `acted_*`: what an operator did last. Ids sort by their bytes, as on other logs.
create table if not exists wearon.log_dead_letters (
  id text collate "C" primary key,
  partition int not null,
  number bigint not null,
  reason text not null,
  source text not null,
  bytes bytea not null,
  attempts int not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'replayed', 'discarded')),
  replays int not null default 0,
  acted_by text,
  acted_at timestamptz,
  acted_reason text
);
create index if not exists log_dead_letters_by_time on wearon.log_dead_letters (first_seen_at, id);
create index if not exists log_dead_letters_by_state on wearon.log_dead_letters (state, first_seen_at, id);
create index if not exists log_dead_letters_of_partition on wearon.log_dead_letters (partition, (state = 'waiting'), first_seen_at, id);

-- Creates the log unless it is there, and answers what it is.
create or replace function wearon.log_create(new_identity text, new_partitions int, out identity text, out partitions int)
language plpgsql set search_path = '' as $$
begin
  insert into wearon.log_meta (identity, partitions) values (new_identity, new_partitions) on conflict do nothing;
  select m.identity, m.partitions into identity, partitions from wearon.log_meta m;
  insert into wearon.log_partitions (partition) select generate_series(0, partitions - 1) on conflict do nothing;
  insert into wearon.log_inboxes (partition) select generate_series(0, partitions - 1) on conflict do nothing;
end $$;

-- Notes that a member lives, frees what stands under its name and is not held, and answers how things stand. A lease ends
-- also where the log stands behind what it acknowledged to the lease's owner: it was replaced or lost its tail.
create or replace function wearon.log_beat(
  member text, held int[], tokens text[], steps bigint[], inboxes bigint[], ttl_ms double precision, takes_share boolean,
  out extended int[], out members text[], out free int[]
)
language plpgsql set search_path = '' as $$
declare
  moment timestamptz := clock_timestamp();
  before wearon.log_members;
begin
  -- First, because an acquisition locks this row too: whichever of both is first, the other one sees it.
  select * into before from wearon.log_members m where m.id = member for update;
  if before.id is null or before.expires_at <= moment then
    -- A member that comes back after a silence comes last.
    delete from wearon.log_members m where m.id = member;
    insert into wearon.log_members (id, joins, expires_at)
    values (member, takes_share, moment + ttl_ms * interval '1 millisecond');
  else
    update wearon.log_members m set expires_at = moment + ttl_ms * interval '1 millisecond', joins = takes_share where m.id = member;
  end if;
  if before.id is null or before.expires_at <= moment or before.joins <> takes_share then
    perform pg_notify('wearon_log', 'leases');
  end if;

  -- Long dead. Not at once: the row is what an acquisition locks against a member that comes back.
  delete from wearon.log_members m where m.expires_at < moment - interval '1 hour';

  perform from wearon.log_partitions p where p.owner = member order by p.partition for update;
  update wearon.log_partitions p set owner = null, token = null
  where p.owner = member
    and not exists (
      select from unnest(held, tokens, steps, inboxes) as h (partition, token, step, inbox)
      where h.partition = p.partition and h.token = p.token and h.step <= p.head_number and h.inbox <= p.consumed);

  select coalesce(array_agg(p.partition) filter (where p.owner = member), '{}'),
         coalesce(array_agg(p.partition order by p.partition) filter (where p.owner is null or not exists (
           select from wearon.log_members m where m.id = p.owner and m.expires_at > moment)), '{}')
    into extended, free from wearon.log_partitions p;
  select array_agg(m.id order by m.joined) into members from wearon.log_members m where m.joins and m.expires_at > moment;
  members := coalesce(members, '{}');
end $$;

-- Takes those of the partitions that are free, each with the next epoch and the token at its place.
create or replace function wearon.log_acquire(member text, wanted int[], tokens text[], ttl_ms double precision)
returns table (partition int, epoch bigint, token text, head_number bigint, head_id text, consumed bigint, forgotten_until timestamptz)
language plpgsql set search_path = '' as $$
#variable_conflict use_column
begin
  update wearon.log_members set expires_at = clock_timestamp() + ttl_ms * interval '1 millisecond' where id = member;
  -- Members before partitions, as a beat does it: neither waits for what the other one holds.
  perform from wearon.log_members m
    where m.id in (select p.owner from wearon.log_partitions p where p.partition = any (wanted)) order by m.id for share;
  perform from wearon.log_partitions p where p.partition = any (wanted) order by p.partition for update;
  return query
    -- Time in it keeps the epoch growing also where the log lost its tail, and the count with it.
    update wearon.log_partitions p set owner = member, token = w.token,
      epoch = greatest(p.epoch + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
    from unnest(wanted, tokens) as w (partition, token)
    where p.partition = w.partition and (p.owner is null or not exists (
      select from wearon.log_members m where m.id = p.owner and m.expires_at > clock_timestamp()))
    returning p.partition, p.epoch, p.token, p.head_number, p.head_id, p.consumed, p.forgotten_until;
end $$;

create or replace function wearon.log_release(member text, held int[], tokens text[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform from wearon.log_partitions p where p.partition = any (held) order by p.partition for update;
  update wearon.log_partitions p set owner = null, token = null
  from unnest(held, tokens) as h (partition, token)
  where p.partition = h.partition and p.owner = member and p.token = h.token;
  perform pg_notify('wearon_log', 'leases');
end $$;

create or replace function wearon.log_leave(member text) returns void
language plpgsql set search_path = '' as $$
begin
  delete from wearon.log_members m where m.id = member;
  perform from wearon.log_partitions p where p.owner = member order by p.partition for update;
  update wearon.log_partitions p set owner = null, token = null where p.owner = member;
  perform pg_notify('wearon_log', 'leases');
end $$;

-- Appends messages to inboxes, in their order. `bytes` holds them all one behind the other: one binary value travels faster
-- than many. Positions are assigned under the row lock of the inbox, so that no reader sees a later one before an earlier one.
create or replace function wearon.log_publish(into_partitions int[], sources text[], lengths int[], bytes bytea) returns void
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  -- In the order of partitions, so that two publishers never wait for each other.
  perform from wearon.log_inboxes b where b.partition = any (into_partitions) order by b.partition for update;
  with given as materialized (
    select m.*, sum(m.length) over (order by m.nth) - m.length as start,
           row_number() over (partition by m.partition order by m.nth) as place
    from unnest(into_partitions, sources, lengths) with ordinality as m (partition, source, length, nth)
  ), appended as (
    insert into wearon.log_inbox (partition, number, source, bytes)
    select g.partition, b.published + g.place, g.source, substring(bytes from g.start::int + 1 for g.length)
    from given g join wearon.log_inboxes b on b.partition = g.partition
  )
  update wearon.log_inboxes b set published = b.published + g.count
  from (select g.partition, count(*) as count from given g group by g.partition) g where b.partition = g.partition;
  perform pg_notify('wearon_log', 'inbox ' || (select string_agg(distinct p::text, ',') from unnest(into_partitions) p));
end $$;

-- The next messages of each partition behind a position: at most so many, and no more once so many bytes are out.
create or replace function wearon.log_take(from_partitions int[], positions bigint[], messages_max int[], bytes_max bigint[])
returns table (partition int, number bigint, source text, bytes bytea)
language sql stable set search_path = '' set enable_seqscan = off as $$
  select r.partition, m.number, m.source, m.bytes
  from unnest(from_partitions, positions, messages_max, bytes_max) as r (partition, number, messages, bytes)
  cross join lateral (
    select i.*, sum(octet_length(i.bytes)) over (order by i.number) - octet_length(i.bytes) as before
    from (
      select * from wearon.log_inbox n where n.partition = r.partition and n.number > r.number
      order by n.number limit r.messages
    ) i
  ) m
  where m.before < r.bytes
  order by r.partition, m.number
$$;

-- Drops the dead letters of partitions beyond a bound: settled ones before those that wait, the oldest first.
create or replace function wearon.log_make_room(of_partitions int[], letters_max int) returns void
language sql set search_path = '' set enable_seqscan = off as $$
  with surplus as (
    select l.id from unnest(of_partitions) as p (partition) cross join lateral (
      select * from wearon.log_dead_letters o where o.partition = p.partition
      order by (o.state = 'waiting') desc, o.first_seen_at desc, o.id desc offset letters_max
    ) l
  ), dropped as (
    delete from wearon.log_dead_letters l using surplus s where l.id = s.id returning l.partition
  )
  update wearon.log_partitions p set letters_dropped = p.letters_dropped + d.count
  from (select partition, count(*) as count from dropped group by partition) d where p.partition = d.partition
$$;

-- Makes commits of several partitions durable, each judged on its own: `committed`, `repeated` (it is the head already) or
-- `fenced` (another owner or another head; nothing of it is kept). `letters_max`: how many dead letters a partition keeps; null
-- when none is among the commits.
create or replace function wearon.log_commit(of_partitions int[], commits json, letters_max int)
returns table (partition int, verdict text)
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  perform from wearon.log_partitions p where p.partition = any (of_partitions) order by p.partition for update;
  return query
  with given as materialized (
    select * from json_to_recordset(commits) as c (
      partition int, epoch bigint, token text, head text, number bigint, id text, previous text, format int, at timestamptz,
      fact_count int, facts json, "left" bigint, consumed bigint, sessions json, letters json)
  ), judged as materialized (
    select g.*, case
      when p.epoch <> g.epoch or p.token is distinct from g.token then 'fenced'
      when p.head_id = g.id then 'repeated'
      when p.head_id is distinct from g.head or g.number <= p.head_number then 'fenced'
      -- The inbox is not where this lease left it (nor where a repeat of this commit did): it went back.
      when p.consumed <> g."left" and p.consumed is distinct from g.consumed then 'fenced'
      -- Its messages are not there: the log lost its tail since they were taken, and will give their positions to others.
      when g.consumed > b.published then 'fenced'
      else 'committed' end as verdict
    from given g join wearon.log_partitions p on p.partition = g.partition join wearon.log_inboxes b on b.partition = g.partition
  ), passed as materialized (
    select * from judged j where j.verdict = 'committed'
  ), moved as (
    update wearon.log_partitions p
    set head_number = coalesce(c.number, p.head_number), head_id = coalesce(c.id, p.head_id),
        consumed = greatest(p.consumed, c.consumed)
    from passed c where p.partition = c.partition
  ), consumed as (
    delete from wearon.log_inbox i using passed c where i.partition = c.partition and i.number <= c.consumed
  ), appended as (
    insert into wearon.log_journal (partition, number, id, previous, epoch, format, at, fact_count, facts)
    select c.partition, c.number, c.id, c.previous, c.epoch, c.format, c.at, c.fact_count, c.facts
    from passed c where c.id is not null
  ), kept as (
    insert into wearon.log_sessions as old (partition, id, seq, state, format, context, owes, closed_at)
    select c.partition, s.id, s.seq, s.state, s.format, s.context, s.owes, s.closed_at
    from passed c cross join lateral json_to_recordset(c.sessions) as s (
      id uuid, seq int, state text, format int, context json, owes boolean, closed_at timestamptz)
    on conflict (partition, id) do update
    set seq = excluded.seq, state = excluded.state, format = excluded.format, context = excluded.context,
        owes = excluded.owes, closed_at = excluded.closed_at
  ), died as (
    select l.*, c.partition from passed c cross join lateral json_to_recordset(c.letters) as l (
      id text, number bigint, reason text, source text, bytes text, at timestamptz)
    -- What a repeated commit buries again is known by its place in the inbox.
    where not exists (select from wearon.log_dead_letters o where o.id = l.id and o.number >= l.number)
  ), buried as (
    insert into wearon.log_dead_letters as old (id, partition, number, reason, source, bytes, attempts, first_seen_at, last_seen_at)
    select d.id, d.partition, max(d.number), (array_agg(d.reason order by d.number desc))[1],
           (array_agg(d.source order by d.number))[1], decode(min(d.bytes), 'base64'), count(*), min(d.at), max(d.at)
    from died d group by d.id, d.partition
    on conflict (id) do update
    set number = excluded.number, reason = excluded.reason, attempts = old.attempts + excluded.attempts,
        last_seen_at = excluded.last_seen_at, state = 'waiting'
  )
  select j.partition, j.verdict from judged j;
  if letters_max is not null then perform wearon.log_make_room(of_partitions, letters_max); end if;
  perform pg_notify('wearon_log', 'journal');
end $$;

-- Steps behind a number of each partition, about `facts_max` facts in all: the first step of every partition comes before the
-- second of any, and the older before the younger, so that none waits behind a busy one.
create or replace function wearon.log_read(of_partitions int[], numbers bigint[], facts_max int)
returns setof wearon.log_journal
language sql stable set search_path = '' set enable_seqscan = off as $$
  with grown as materialized (
    select r.partition, r.number from unnest(of_partitions, numbers) as r (partition, number)
    join wearon.log_partitions p on p.partition = r.partition and p.head_number > r.number
  ), candidate as materialized (
    select j.* from grown g cross join lateral (
      select n.partition, n.number, n.at, n.fact_count, row_number() over (order by n.number) as turn
      from wearon.log_journal n where n.partition = g.partition and n.number > g.number
      order by n.number limit greatest(1, facts_max / (select count(*) from grown))
    ) j
  ), chosen as (
    select c.*, sum(c.fact_count) over (order by c.turn, c.at, c.partition) - c.fact_count as before from candidate c
  )
  select j.* from chosen c join wearon.log_journal j on j.partition = c.partition and j.number = c.number
  where c.before < facts_max order by j.partition, j.number
$$;
