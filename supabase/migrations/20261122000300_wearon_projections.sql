-- Our columns of the session rows, the archive of every fact, and the projections that are read from it. Each write is one
-- function call per batch, so that every client (supabase-js by rpc, a plain connection) shares one truth.

create schema if not exists wearon;

alter table public.generation_sessions
  add column if not exists state text check (state in ('queued', 'processing', 'completed', 'failed', 'refunded')),
  add column if not exists seq integer,
  add column if not exists attempts integer,
  add column if not exists failure_code text,
  add column if not exists result_path text,
  add column if not exists url_expires_at timestamptz,
  add column if not exists origin text;
alter table public.store_generation_sessions
  add column if not exists state text check (state in ('queued', 'processing', 'completed', 'failed', 'refunded')),
  add column if not exists seq integer,
  add column if not exists attempts integer,
  add column if not exists failure_code text,
  add column if not exists result_path text,
  add column if not exists url_expires_at timestamptz,
  add column if not exists origin text;

-- No index names a column that changes after a session's first fact: a row version that differs in none stays in its page and
-- out of all indexes (a heap-only tuple), which takes half of the time. `origin` is null until that first fact.
create index if not exists wearon_generation_sessions_newest on public.generation_sessions (created_at desc, id desc);
create index if not exists wearon_store_generation_sessions_newest on public.store_generation_sessions (created_at desc, id desc);
-- A refund looks for what the platform gave back already: once per failed session, among all of a user's transactions.
create index if not exists wearon_credit_transactions_user on public.credit_transactions (user_id, type, created_at);

-- Archive -----------------------------------------------------------------------------------------------------------
-- One row; whoever appends locks it, so that ordinals have no gap and become visible in their order.
create table if not exists wearon.archive (
  only_row boolean primary key default true check (only_row), head bigint not null default 0);
insert into wearon.archive default values on conflict do nothing;

create table if not exists wearon.facts (
  ordinal bigint primary key, session_id uuid not null, seq integer not null, partition integer not null, step bigint not null,
  fact jsonb not null, unique (session_id, seq));
create index if not exists facts_step on wearon.facts (partition, step);

-- What facts of sessions that are not closed said, where `facts` has them without what signs their URLs. Apart, so that forgetting
-- is a deletion of small rows: updating the fact itself took a third of the archive's time.
create table if not exists wearon.signed_facts (
  session_id uuid not null, seq integer not null, data jsonb not null, primary key (session_id, seq));
-- Sessions whose result's own signature is still in the archive.
create table if not exists wearon.signed_results (session_id uuid primary key, expires_at timestamptz not null);
create index if not exists signed_results_expiry on wearon.signed_results (expires_at);
create or replace view wearon.whole_facts as
  select f.ordinal, f.session_id, f.seq, f.partition, f.step, 
    case when s.data is null then f.fact else f.fact || jsonb_build_object('data', f.fact -> 'data' || s.data) end as fact
  from wearon.facts as f left join wearon.signed_facts as s using (session_id, seq);

create table if not exists wearon.steps (
  partition integer not null, number bigint not null, id text not null, epoch bigint not null, primary key (partition, number));
create table if not exists wearon.heads (
  partition integer primary key, log text not null, number bigint not null, id text not null);
create table if not exists wearon.fences (
  partition integer primary key, log text not null, epoch bigint not null, token text not null);
-- Who was granted a partition at which step of its journal, from the archive's last step on: what an earlier epoch wrote behind
-- that, the log has lost.
create table if not exists wearon.grants (
  partition integer not null, head bigint not null, epoch bigint not null, primary key (partition, head));

-- Projections -------------------------------------------------------------------------------------------------------
create table if not exists wearon.projections (
  name text primary key, position bigint not null default 0, gone bigint not null default 0,
  -- Of rows computed aside: the last session that was compared and corrected, and how many were.
  switched_to uuid, switched bigint not null default 0);
create table if not exists wearon.set_aside (
  projection text not null, session_id uuid not null, seq integer not null, patch jsonb not null, reason text not null,
  set_aside_at timestamptz not null default now(), primary key (projection, session_id, seq));
create table if not exists wearon.shadow_rows (
  projection text not null, session_id uuid not null, seq integer not null, patch jsonb not null,
  primary key (projection, session_id));
-- What a rebuild found different so far.
create table if not exists wearon.drift (
  projection text not null, session_id uuid not null, column_name text not null, was jsonb, now jsonb);
-- The rows that this system created. A user may edit the session row, `origin` with it; nobody but us writes here.
create table if not exists wearon.created_rows (session_id uuid primary key);

-- The books: one row per session, with what became of its refund where it has one (`state` is not null).
create table if not exists wearon.refunds (
  session_id uuid primary key, seq integer not null, channel text, owner_id uuid, request_id text, requested_at timestamptz,
  outcome text not null default 'open' check (outcome in ('open', 'completed', 'failed', 'handed_back')), ended_at timestamptz,
  state text check (state in ('owed', 'issued', 'waived', 'settled', 'escalated')), since timestamptz, tries integer,
  last_error text, payer_kind text, payer_id uuid, payer_email text, credits integer, ledger_record text, how text,
  waiver_reason text, waiver_detail text, settled_at timestamptz, settled_by text, settled_how text, settled_why text);
create index if not exists refunds_newest on wearon.refunds (since desc, session_id desc) where state is not null;
create index if not exists refunds_open on wearon.refunds (owner_id) where outcome = 'open';
create index if not exists refunds_request on wearon.refunds (owner_id, request_id);

create table if not exists wearon.acceptances (
  session_id uuid primary key, tenant text not null, key text, fingerprint text not null, answer jsonb not null,
  published boolean not null default false, reserved_at timestamptz not null);
create unique index if not exists acceptances_key on wearon.acceptances (tenant, key) where key is not null;
create index if not exists acceptances_age on wearon.acceptances (reserved_at);

-- Archive: functions ------------------------------------------------------------------------------------------------
create or replace function public.wearon_archive_heads() returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(json_build_object('partition', partition, 'log', log, 'number', number, 'id', id)), '[]')
  from wearon.heads
$$;

-- Appends steps that continue the chain of their partitions, all of them or none (null: they do not). Answers the last ordinal.
create or replace function public.wearon_archive_append(p_log text, p_steps jsonb) returns bigint
language plpgsql security definer set search_path = '' as $$
declare added bigint;
begin
  perform from wearon.archive for update;
  if exists (
    select from (
      select step.*, lag(number) over chain as number_before, lag(id) over chain as id_before
      from jsonb_to_recordset(p_steps) as step(partition integer, number bigint, id text, previous text, epoch bigint)
      window chain as (partition by partition order by number)
    ) as step left join wearon.heads as head using (partition)
      left join wearon.grants as later on later.partition = step.partition and later.head = step.number - 1 and later.epoch > step.epoch
    where head.log <> p_log or later.epoch is not null
      or step.number <> coalesce(number_before, head.number, 0) + 1
      or step.previous is distinct from case when number_before is null then head.id else id_before end
  ) then return null; end if;
  added := wearon.add_facts(p_steps);
  insert into wearon.heads as head (partition, log, number, id)
    select distinct on (partition) partition, p_log, number, id
    from jsonb_to_recordset(p_steps) as step(partition integer, number bigint, id text) order by partition, number desc
    on conflict (partition) do update set log = excluded.log, number = excluded.number, id = excluded.id;
  if added > 0 then perform pg_notify('wearon_archive', ''); end if;
  return (select head from wearon.archive);
end $$;

-- Gives the steps' facts their ordinals. `facts` have no signature but a result's; `signed` are the parts of their data that
-- have one, of sessions that are not closed; `closed` are the sessions that these steps close. The caller holds the lock. Answers how many were added.
create or replace function wearon.add_facts(p_steps jsonb) returns bigint language plpgsql as $$
declare how_many bigint;
begin
  insert into wearon.steps (partition, number, id, epoch)
    select partition, number, id, epoch
    from jsonb_to_recordset(p_steps) as step(partition integer, number bigint, id text, epoch bigint)
    on conflict (partition, number) do update set id = excluded.id, epoch = excluded.epoch;
  with added as (
    insert into wearon.facts (ordinal, session_id, seq, partition, step, fact)
    select archive.head + step.before + fact.place,
      (fact.value ->> 'sessionId')::uuid, (fact.value ->> 'seq')::integer, step.partition, step.number, fact.value
    from wearon.archive, (
        select partition, number, facts,
          coalesce(sum(jsonb_array_length(facts)) over (order by place rows between unbounded preceding and 1 preceding), 0) as before
        from rows from (jsonb_to_recordset(p_steps) as (partition integer, number bigint, facts jsonb)) with ordinality
          as step(partition, number, facts, place)) as step,
      jsonb_array_elements(step.facts) with ordinality as fact(value, place)
    returning session_id, fact
  ), results as (
    insert into wearon.signed_results (session_id, expires_at)
    select session_id, (fact #>> '{data,result,urlExpiresAt}')::timestamptz from added
    where fact ->> 'type' = 'generation.completed' and (fact #>> '{data,result,url}') like '%?%' on conflict do nothing
  ) select count(*) into how_many from added;
  insert into wearon.signed_facts (session_id, seq, data)
    select (part ->> 'sessionId')::uuid, (part ->> 'seq')::integer, part -> 'data'
    from jsonb_to_recordset(p_steps) as step(signed jsonb), jsonb_array_elements(step.signed) as part on conflict do nothing;
  delete from wearon.signed_facts where session_id in (
    select id::uuid from jsonb_to_recordset(p_steps) as step(closed jsonb), jsonb_array_elements_text(step.closed) as id);
  update wearon.archive set head = head + how_many where how_many > 0;
  return how_many;
end $$;

-- The facts that the archive does not have.
create or replace function wearon.unknown(p_facts jsonb) returns jsonb language sql as $$
  select coalesce(jsonb_agg(fact.value order by fact.place), '[]')
  from jsonb_array_elements(p_facts) with ordinality as fact(value, place)
    left join wearon.facts as known
      on known.session_id = (fact.value ->> 'sessionId')::uuid and known.seq = (fact.value ->> 'seq')::integer
  where known.ordinal is null
$$;

-- The steps without the facts that the archive has already.
create or replace function wearon.without_known(p_steps jsonb) returns jsonb language sql as $$
  select coalesce(jsonb_agg(step.value || jsonb_build_object(
    'facts', wearon.unknown(step.value -> 'facts'), 'signed', wearon.unknown(step.value -> 'signed')) order by step.place), '[]')
  from jsonb_array_elements(p_steps) with ordinality as step(value, place)
$$;

create or replace function public.wearon_archive_read(p_after bigint, p_limit integer) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(json_build_object('ordinal', ordinal, 'fact', fact) order by ordinal), '[]')
  from (select ordinal, fact from wearon.whole_facts where ordinal > p_after order by ordinal limit p_limit) as next
$$;

create or replace function public.wearon_archive_head() returns bigint
language sql stable security definer set search_path = '' as $$ select head from wearon.archive $$;

create or replace function public.wearon_archive_session(p_session uuid) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(fact order by seq), '[]') from wearon.whole_facts where session_id = p_session
$$;

-- History: what a partition's new owner asks --------------------------------------------------------------------------
create or replace function public.wearon_admit(
  p_log text, p_partition integer, p_epoch bigint, p_token text, p_head bigint) returns json
language plpgsql security definer set search_path = '' as $$
declare last wearon.heads; fence wearon.fences; archived json; refusal text;
begin
  select * into last from wearon.heads where partition = p_partition;
  if found then archived := json_build_object('number', last.number, 'id', last.id); end if;
  if last.log <> p_log then
    return json_build_object('admitted', false, 'reason', 'log_replaced', 'archived', archived);
  end if;
  insert into wearon.fences (partition, log, epoch, token) values (p_partition, p_log, p_epoch, p_token) on conflict do nothing;
  -- Waits for refunds under the earlier epoch, which hold the row in share mode, and is waited for by later ones.
  select * into fence from wearon.fences where partition = p_partition for update;
  refusal := case when fence.log <> p_log then 'log_replaced'
    when fence.token <> p_token and p_epoch <= fence.epoch then 'epoch_went_back' end;
  if refusal is not null then return json_build_object('admitted', false, 'reason', refusal, 'archived', archived); end if;
  update wearon.fences set epoch = p_epoch, token = p_token where partition = p_partition;
  -- From here on nothing is appended that this grant forbids, and what was appended before is seen.
  perform from wearon.archive for update;
  select * into last from wearon.heads where partition = p_partition;
  if found then archived := json_build_object('number', last.number, 'id', last.id); end if;
  delete from wearon.grants where partition = p_partition and head < coalesce(last.number, 0);
  insert into wearon.grants as known (partition, head, epoch) values (p_partition, p_head, p_epoch)
    on conflict (partition, head) do update set epoch = greatest(known.epoch, excluded.epoch);
  return json_build_object('admitted', true, 'archived', archived);
end $$;

create or replace function public.wearon_knows(p_sessions jsonb) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(distinct session_id), '[]') from wearon.facts
  where session_id in (select value::uuid from jsonb_array_elements_text(p_sessions))
$$;

create or replace function public.wearon_step(p_partition integer, p_number bigint) returns json
language sql stable security definer set search_path = '' as $$
  select json_build_object('number', number, 'id', id) from wearon.steps where partition = p_partition and number = p_number
$$;

create or replace function public.wearon_sessions_after(
  p_partition integer, p_number bigint, p_after uuid, p_limit integer) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(facts order by session_id), '[]') from (
    select session_id, json_agg(fact order by seq) as facts from wearon.whole_facts
    where session_id in (
      select distinct session_id from wearon.facts
      where partition = p_partition and step > p_number and (p_after is null or session_id > p_after)
      order by session_id limit p_limit)
    group by session_id) as histories
$$;

-- Ends a repair that judged by `p_archived`, the id of the archive's last step of the partition. Answers whether that is done: a late
-- call of a repair that another one overtook would take the archive back. What the archive had beyond the common part was
-- restored by the new head, and goes down with it if it does.
create or replace function public.wearon_mend(
  p_log text, p_partition integer, p_epoch bigint, p_token text, p_archived text, p_steps jsonb, p_head jsonb) returns boolean
language plpgsql security definer set search_path = '' as $$
declare head_number bigint := (p_head ->> 'number')::bigint; known wearon.heads; first_mended bigint;
begin
  -- As an admission locks them.
  perform from wearon.fences where partition = p_partition for update;
  perform from wearon.archive for update;
  select * into known from wearon.heads where partition = p_partition;
  if known.log = p_log and known.id = p_head ->> 'id' then return true; end if;
  if known.id is distinct from p_archived then return false; end if;
  select least(head_number, min((step ->> 'number')::bigint)) into first_mended from jsonb_array_elements(p_steps) as step;
  delete from wearon.grants where partition = p_partition;
  delete from wearon.steps where partition = p_partition and number >= first_mended;
  update wearon.facts set step = head_number where partition = p_partition and step >= first_mended;
  if wearon.add_facts(wearon.without_known(p_steps)) > 0 then perform pg_notify('wearon_archive', ''); end if;
  insert into wearon.steps (partition, number, id, epoch) values (p_partition, head_number, p_head ->> 'id', p_epoch)
    on conflict (partition, number) do update set id = excluded.id, epoch = excluded.epoch;
  insert into wearon.heads (partition, log, number, id) values (p_partition, p_log, head_number, p_head ->> 'id')
    on conflict (partition) do update set log = excluded.log, number = excluded.number, id = excluded.id;
  insert into wearon.fences (partition, log, epoch, token) values (p_partition, p_log, p_epoch, p_token)
    on conflict (partition) do update set log = excluded.log, epoch = excluded.epoch, token = excluded.token;
  return true;
end $$;

-- Projections: functions --------------------------------------------------------------------------------------------
create or replace function public.wearon_projection_position(p_name text) returns bigint
language sql stable security definer set search_path = '' as $$
  select coalesce((select position from wearon.projections where name = p_name), 0)
$$;

create or replace function public.wearon_projection_status() returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(json_build_object('name', name, 'position', position, 'gone', gone,
    'setAside', (select count(*) from wearon.set_aside where projection = name)) order by name), '[]')
  from wearon.projections
$$;

-- Writes the patches of one batch and moves the projection's position, or nothing ('moved': it is not where the caller thinks).
create or replace function public.wearon_apply(
  p_name text, p_from bigint, p_to bigint, p_patches jsonb, p_rows_owner text) returns text
language plpgsql security definer set search_path = '' as $$
declare at bigint; patches jsonb;
begin
  insert into wearon.projections (name) values (p_name) on conflict do nothing;
  select position into at from wearon.projections where name = p_name for update;
  if at <> p_from then return 'moved'; end if;
  patches := wearon.hold_back(p_name, p_patches);
  begin
    perform wearon.write(p_name, patches, p_rows_owner);
  exception when data_exception or integrity_constraint_violation or raise_exception or program_limit_exceeded then
    perform wearon.write_one_by_one(p_name, patches, p_rows_owner);
  end;
  update wearon.projections set position = p_to where name = p_name;
  return 'applied';
end $$;

-- Later patches of a session that is set aside wait behind the first. Answers the others.
create or replace function wearon.hold_back(p_name text, p_patches jsonb) returns jsonb language plpgsql as $$
begin
  if not exists (select from wearon.set_aside where projection = p_name) then return p_patches; end if;
  insert into wearon.set_aside (projection, session_id, seq, patch, reason)
    select p_name, (later.value ->> 'session_id')::uuid, (later.value ->> 'seq')::integer, later.value,
      'waits for an earlier fact of its session'
    from jsonb_array_elements(p_patches) as later
    where exists (select from wearon.set_aside as aside
      where aside.projection = p_name and aside.session_id = (later.value ->> 'session_id')::uuid)
    on conflict do nothing;
  return coalesce((select jsonb_agg(free.value) from jsonb_array_elements(p_patches) as free
    where not exists (select from wearon.set_aside as aside
      where aside.projection = p_name and aside.session_id = (free.value ->> 'session_id')::uuid)), '[]');
end $$;

create or replace function wearon.write_one_by_one(p_name text, p_patches jsonb, p_rows_owner text) returns void
language plpgsql as $$
declare patch jsonb;
begin
  for patch in select value from jsonb_array_elements(p_patches) loop
    begin
      perform wearon.write(p_name, jsonb_build_array(patch), p_rows_owner);
    exception when data_exception or integrity_constraint_violation or raise_exception or program_limit_exceeded then
      insert into wearon.set_aside (projection, session_id, seq, patch, reason)
        values (p_name, (patch ->> 'session_id')::uuid, (patch ->> 'seq')::integer, patch, sqlstate || ': ' || sqlerrm);
    end;
  end loop;
end $$;

-- Tries again what was set aside, session by session, each from its first refused patch on. Answers how many remain.
create or replace function public.wearon_retry_set_aside(p_name text, p_rows_owner text) returns integer
language plpgsql security definer set search_path = '' as $$
declare session uuid; aside record;
begin
  perform from wearon.projections where name = p_name for update;
  for session in select distinct session_id from wearon.set_aside where projection = p_name limit 1000 loop
    begin
      for aside in select seq, patch from wearon.set_aside where projection = p_name and session_id = session order by seq loop
        perform wearon.write(p_name, jsonb_build_array(aside.patch), p_rows_owner);
      end loop;
      delete from wearon.set_aside where projection = p_name and session_id = session;
    exception when data_exception or integrity_constraint_violation or raise_exception or program_limit_exceeded then
      update wearon.set_aside set reason = sqlstate || ': ' || sqlerrm
        where projection = p_name and session_id = session and seq = aside.seq;
    end;
  end loop;
  return (select count(distinct session_id) from wearon.set_aside where projection = p_name);
end $$;

create or replace function wearon.write(p_name text, p_patches jsonb, p_rows_owner text) returns void
language plpgsql as $$
begin
  if p_name like '%.shadow' then perform wearon.write_shadow(p_name, p_patches);
  elsif p_name = 'sessions' then perform wearon.write_sessions(p_patches, p_rows_owner);
  elsif p_name = 'refunds' then perform wearon.write_refunds(p_patches);
  else raise invalid_schema_name using message = format('there is no projection named %s', p_name);
  end if;
end $$;

create or replace function wearon.write_shadow(p_name text, p_patches jsonb) returns void language sql as $$
  insert into wearon.shadow_rows as shadow (projection, session_id, seq, patch)
  select p_name, (patch ->> 'session_id')::uuid, (patch ->> 'seq')::integer, patch from jsonb_array_elements(p_patches) as patch
  on conflict (projection, session_id) do update set seq = excluded.seq, patch = shadow.patch || excluded.patch
  where shadow.seq < excluded.seq
$$;

-- The platform's session rows ---------------------------------------------------------------------------------------
-- A patch of a session row. The first eight columns only serve to create a missing row.
do $$ begin
if to_regtype('wearon.session_patch') is null then
create type wearon.session_patch as (
  session_id uuid, channel text, owner_id uuid, request_id text, created_at timestamptz, image_urls jsonb, prompt text,
  keep_ended boolean, seq integer, status text, state text, attempts integer, error_message text, generated_image_url text,
  processing_time_ms integer, input_tokens integer, output_tokens integer, estimated_cost_usd numeric(10, 6),
  completed_at timestamptz, failure_code text, result_path text, url_expires_at timestamptz);
end if; end $$;

-- What a patch `p` makes of a row `t`, column by column; shared by live writes and rebuilds. An ended row never reopens: the
-- platform may have failed it meanwhile, and its words then tell the refund who did. `keep_ended` (withdrawn) leaves the ended row's own words, 'expired' stays expired.
create or replace function wearon.session_columns() returns table (name text, value text) language sql immutable as $$
  values ('seq', 'p.seq'), ('state', 'nullif(coalesce(p.state, t.state), ''none'')'), ('attempts', 'coalesce(p.attempts, t.attempts)'),
  ('origin', $e$coalesce(t.origin, 'producer')$e$),
  ('status', $e$case when t.status in ('completed', 'failed') and (p.keep_ended or p.status in ('queued', 'processing'))
    then t.status else coalesce(p.status, t.status) end$e$),
  ('error_message', $e$case when p.status = 'completed' then null
    when t.status in ('completed', 'failed') and p.keep_ended then t.error_message
    when t.status = 'failed' and p.status = 'failed' then coalesce(t.error_message, p.error_message)
    else coalesce(p.error_message, t.error_message) end$e$),
  -- The archive forgets a signature once it is worth nothing: the same URL without one is no other.
  ('generated_image_url', $e$case when t.generated_image_url = 'expired' then 'expired'
    when split_part(t.generated_image_url, '?', 1) = p.generated_image_url then t.generated_image_url
    else coalesce(p.generated_image_url, t.generated_image_url) end$e$),
  ('processing_time_ms', 'coalesce(p.processing_time_ms, t.processing_time_ms)'),
  ('input_tokens', 'coalesce(p.input_tokens, t.input_tokens)'), ('output_tokens', 'coalesce(p.output_tokens, t.output_tokens)'),
  ('estimated_cost_usd', 'coalesce(p.estimated_cost_usd, t.estimated_cost_usd)'),
  ('completed_at', 'coalesce(p.completed_at, t.completed_at)'), ('failure_code', 'coalesce(p.failure_code, t.failure_code)'),
  ('result_path', 'coalesce(p.result_path, t.result_path)'), ('url_expires_at', 'coalesce(p.url_expires_at, t.url_expires_at)')
$$;

-- A batch is hundreds of rows out of millions, but statistics may say otherwise: without hash and merge joins no batch reads a
-- whole table.
create or replace function wearon.write_sessions(p_patches jsonb, p_rows_owner text) returns void
language plpgsql set enable_hashjoin = off set enable_mergejoin = off as $$
declare target text; touched integer := 0; n integer; assignments text; patches wearon.session_patch[];
begin
  if p_rows_owner = 'ours' then perform wearon.create_rows(p_patches); end if;
  select string_agg(format('%I = %s', name, value), ', ') into assignments from wearon.session_columns();
  -- Read once for both tables.
  patches := array(select p from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p);
  foreach target in array array['generation_sessions', 'store_generation_sessions'] loop
    execute format('update public.%I as t set %s from unnest($1) as p
      where t.id = p.session_id and coalesce(t.seq, 0) < p.seq', target, assignments) using patches;
    get diagnostics n = row_count;
    touched := touched + n;
    exit when touched = cardinality(patches);
  end loop;
  -- Fewer rows than patches: some were written before, others have no row any more.
  if touched < cardinality(patches) then
    update wearon.projections set gone = gone + missing.count from (
      select count(*) from unnest(patches) as p
      where not exists (select from public.generation_sessions where id = p.session_id)
        and not exists (select from public.store_generation_sessions where id = p.session_id)) as missing
    where name = 'sessions' and missing.count > 0;
  end if;
end $$;

-- Creates the rows that are missing on tables of our own, and the account behind a row where nobody has made one.
create or replace function wearon.create_rows(p_patches jsonb) returns void language plpgsql as $$
begin
  if not exists (
    select from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p where p.channel is not null
      and not exists (select from public.generation_sessions where id = p.session_id)
      and not exists (select from public.store_generation_sessions where id = p.session_id)) then return; end if;
  insert into public.users (id, email)
    select distinct p.owner_id, p.owner_id || '@unknown.invalid'
    from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p
    where p.channel = 'b2c' and not exists (select from public.users where id = p.owner_id) on conflict do nothing;
  insert into public.stores (id, shop_domain)
    select distinct p.owner_id, p.owner_id || '.unknown.invalid'
    from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p
    where p.channel = 'b2b' and not exists (select from public.stores where id = p.owner_id) on conflict do nothing;
  with created as (
    insert into public.generation_sessions
      (id, user_id, model_image_url, outfit_image_url, accessories, prompt_system, prompt_user, created_at, origin)
    select p.session_id, p.owner_id, p.image_urls ->> 0, p.image_urls ->> 1, coalesce(p.image_urls - 0 - 0, '[]'), '', p.prompt,
      p.created_at, 'worker'
    from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p
    where p.channel = 'b2c' and not exists (select from public.store_generation_sessions where id = p.session_id)
    on conflict do nothing returning id)
  insert into wearon.created_rows select id from created on conflict do nothing;
  with created as (
    insert into public.store_generation_sessions
      (id, store_id, model_image_url, outfit_image_url, prompt_system, prompt_user, request_id, created_at, origin)
    select p.session_id, p.owner_id, p.image_urls ->> 0, p.image_urls ->> 1, '', p.prompt, p.request_id, p.created_at, 'worker'
    from jsonb_populate_recordset(null::wearon.session_patch, p_patches) as p
    where p.channel = 'b2b' and not exists (select from public.generation_sessions where id = p.session_id)
    on conflict do nothing returning id)
  insert into wearon.created_rows select id from created on conflict do nothing;
end $$;

create or replace function wearon.write_refunds(p_patches jsonb) returns void language sql as $$
  insert into wearon.refunds as r
    (session_id, seq, channel, owner_id, request_id, requested_at, outcome, ended_at, state, since, tries, last_error, payer_kind,
     payer_id, payer_email, credits, ledger_record, how, waiver_reason, waiver_detail, settled_at, settled_by, settled_how, settled_why)
  select session_id, seq, channel, owner_id, request_id, requested_at, coalesce(outcome, 'open'), ended_at, state, since, tries,
     last_error, payer_kind, payer_id, payer_email, credits, ledger_record, how, waiver_reason, waiver_detail, settled_at,
     settled_by, settled_how, settled_why
  from jsonb_populate_recordset(null::wearon.refunds, p_patches)
  on conflict (session_id) do update set seq = excluded.seq, channel = coalesce(excluded.channel, r.channel),
    owner_id = coalesce(excluded.owner_id, r.owner_id), request_id = coalesce(excluded.request_id, r.request_id),
    requested_at = coalesce(excluded.requested_at, r.requested_at),
    outcome = case when excluded.outcome = 'open' and r.outcome <> 'handed_back' then r.outcome else excluded.outcome end,
    ended_at = coalesce(excluded.ended_at, r.ended_at), state = coalesce(excluded.state, r.state),
    since = coalesce(excluded.since, r.since), tries = coalesce(excluded.tries, r.tries),
    last_error = coalesce(excluded.last_error, r.last_error), payer_kind = coalesce(excluded.payer_kind, r.payer_kind),
    payer_id = coalesce(excluded.payer_id, r.payer_id), payer_email = coalesce(excluded.payer_email, r.payer_email),
    credits = coalesce(excluded.credits, r.credits), ledger_record = coalesce(excluded.ledger_record, r.ledger_record),
    how = coalesce(excluded.how, r.how), waiver_reason = coalesce(excluded.waiver_reason, r.waiver_reason),
    waiver_detail = coalesce(excluded.waiver_detail, r.waiver_detail), settled_at = coalesce(excluded.settled_at, r.settled_at),
    settled_by = coalesce(excluded.settled_by, r.settled_by), settled_how = coalesce(excluded.settled_how, r.settled_how),
    settled_why = coalesce(excluded.settled_why, r.settled_why)
  where r.seq < excluded.seq
$$;

-- Rebuild: rows are computed aside, then compared and corrected in place ----------------------------------------------
create or replace function public.wearon_rebuild_begin(p_name text) returns void
language sql security definer set search_path = '' as $$
  delete from wearon.shadow_rows where projection = p_name || '.shadow';
  delete from wearon.projections where name = p_name || '.shadow';
  delete from wearon.drift where projection = p_name;
$$;

-- Compares the next rows with those computed aside and corrects them, while both stand at the same fact ('behind': they do not;
-- catch up and go on). 'part': there are more. A part at a time, since all rows of some years take longer than a call may.
-- Rows that were switched follow the live projection; what is computed aside for them later is not looked at.
create or replace function public.wearon_rebuild_switch(p_name text, p_rows_owner text, p_part integer default 2000) returns json
language plpgsql security definer set search_path = '' as $$
declare live bigint; aside wearon.projections; part_end uuid; report json;
begin
  select position into live from wearon.projections where name = p_name for update;
  select * into aside from wearon.projections where name = p_name || '.shadow' for update;
  if coalesce(live, 0) <> coalesce(aside.position, 0) then
    return json_build_object('outcome', 'behind', 'position', coalesce(live, 0));
  end if;
  part_end := wearon.take_part(p_name, aside.switched_to, p_part);
  create temporary table if not exists wearon_drift (
    session_id uuid, column_name text, was jsonb, now jsonb) on commit drop;
  truncate pg_temp.wearon_drift;
  if p_name = 'sessions' then
    perform wearon.correct_sessions('generation_sessions', p_rows_owner);
    perform wearon.correct_sessions('store_generation_sessions', p_rows_owner);
  elsif p_name = 'refunds' then perform wearon.correct_refunds(aside.switched_to, part_end);
  end if;
  insert into wearon.drift select p_name, * from pg_temp.wearon_drift;
  update wearon.projections set switched_to = part_end, switched = switched + (select count(*) from pg_temp.wearon_part)
    where name = p_name || '.shadow' returning switched into aside.switched;
  if part_end is not null then return json_build_object('outcome', 'part'); end if;
  report := json_build_object('outcome', 'switched', 'position', coalesce(live, 0), 'rows', coalesce(aside.switched, 0),
    'drifted', (select count(distinct session_id) from wearon.drift where projection = p_name),
    'columns', wearon.drift_by_column(p_name));
  perform public.wearon_rebuild_begin(p_name);
  return report;
end $$;

-- Moves the next rows computed aside to `wearon_part`. Answers the last one's session; null when these were the last.
create or replace function wearon.take_part(p_name text, p_after uuid, p_part integer) returns uuid language plpgsql as $$
declare part_end uuid;
begin
  create temporary table if not exists wearon_part (session_id uuid primary key, patch jsonb) on commit drop;
  truncate pg_temp.wearon_part;
  select session_id into part_end from wearon.shadow_rows
    where projection = p_name || '.shadow' and (p_after is null or session_id > p_after)
    order by session_id offset p_part - 1 limit 1;
  with taken as (
    delete from wearon.shadow_rows where projection = p_name || '.shadow'
      and (p_after is null or session_id > p_after) and (part_end is null or session_id <= part_end)
    returning session_id, patch)
  -- What is set aside keeps waiting for its turn.
  insert into pg_temp.wearon_part select * from taken
    where session_id not in (select session_id from wearon.set_aside where projection = p_name);
  analyze pg_temp.wearon_part;
  return part_end;
end $$;

create or replace function wearon.drift_by_column(p_name text) returns json language plpgsql as $$
begin
  return (select coalesce(json_object_agg(column_name, json_build_object('count', count, 'samples', samples)), '{}') from (
    select column_name, count(*) as count,
      json_agg(json_build_object('sessionId', session_id, 'was', was, 'now', now)) filter (where place <= 5) as samples
    from (select *, row_number() over (partition by column_name order by session_id) as place
      from wearon.drift where projection = p_name) as drift
    group by column_name) as by_column);
end $$;

create or replace function wearon.correct_sessions(p_table text, p_rows_owner text) returns void language plpgsql as $$
declare assignments text; expected text; patches constant text :=
  '(select (jsonb_populate_record(null::wearon.session_patch, patch)).* from pg_temp.wearon_part)';
begin
  if p_rows_owner = 'ours' and p_table = 'generation_sessions' then
    insert into pg_temp.wearon_drift select part.session_id, 'row', 'null', to_jsonb('missing'::text) from pg_temp.wearon_part as part
      where patch ->> 'channel' is not null
        -- A row that went with its user or store is not brought back.
        and (exists (select from public.users where id = (patch ->> 'owner_id')::uuid)
          or exists (select from public.stores where id = (patch ->> 'owner_id')::uuid))
        and not exists (select from public.generation_sessions where id = part.session_id)
        and not exists (select from public.store_generation_sessions where id = part.session_id);
    perform wearon.create_rows((select jsonb_agg(patch) from pg_temp.wearon_part
      where session_id in (select session_id from pg_temp.wearon_drift where column_name = 'row')));
    -- Filled at once: they are reported as missing rows, not column by column.
    perform wearon.write_sessions((select coalesce(jsonb_agg(patch), '[]') from pg_temp.wearon_part
      where session_id in (select session_id from pg_temp.wearon_drift where column_name = 'row')), 'platform');
  end if;
  select string_agg(format('%I = %s', name, value), ', '), string_agg(format('%L, to_jsonb(%s)', name, value), ', ')
    into assignments, expected from wearon.session_columns();
  execute format('insert into pg_temp.wearon_drift
    select t.id, e.key, to_jsonb(t) -> e.key, e.value from public.%I as t join %s as p on t.id = p.session_id
    cross join lateral jsonb_each(jsonb_build_object(%s)) as e
    where coalesce(to_jsonb(t) -> e.key, ''null'') is distinct from e.value', p_table, patches, expected);
  execute format('update public.%I as t set %s from %s as p
    where t.id = p.session_id and t.id in (select session_id from pg_temp.wearon_drift)', p_table, assignments, patches);
end $$;

create or replace function wearon.correct_refunds(p_after uuid, p_end uuid) returns void language plpgsql as $$
begin
  insert into pg_temp.wearon_drift
    select coalesce(r.session_id, e.session_id), coalesce(field.key, 'row'), coalesce(to_jsonb(r) -> field.key, 'null'), field.value
    from (select * from wearon.refunds
      where (p_after is null or session_id > p_after) and (p_end is null or session_id <= p_end)) as r
    full join (
      select jsonb_populate_record(null::wearon.refunds, '{"outcome": "open"}' || patch) as row, session_id
      from pg_temp.wearon_part) as e using (session_id)
    left join lateral jsonb_each(to_jsonb(e.row)) as field on true
    where coalesce(to_jsonb(r) -> field.key, 'null') is distinct from coalesce(field.value, 'null') or e.row is null;
  delete from wearon.refunds where session_id in (select session_id from pg_temp.wearon_drift)
    and session_id not in (select session_id from wearon.set_aside where projection = 'refunds');
  perform wearon.write_refunds((select coalesce(jsonb_agg(patch), '[]') from pg_temp.wearon_part
    where session_id in (select session_id from pg_temp.wearon_drift)));
end $$;

-- Queries -----------------------------------------------------------------------------------------------------------
create or replace view wearon.session_rows with (security_invoker = true) as
  select id, 'b2c' as channel, 'user:' || user_id as tenant, state, attempts, generated_image_url, url_expires_at, failure_code,
    error_message, processing_time_ms, estimated_cost_usd, created_at, completed_at from public.generation_sessions
  union all
  select id, 'b2b', 'store:' || store_id, state, attempts, generated_image_url, url_expires_at, failure_code,
    error_message, processing_time_ms, estimated_cost_usd, created_at, completed_at from public.store_generation_sessions;

-- One session's row, or a page of them, newest first. `p_tenant` is `store:<id>` or `user:<id>`.
create or replace function public.wearon_sessions(
  p_session uuid default null, p_state text default null, p_tenant text default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(to_jsonb(page) || jsonb_build_object('request_id',
      (select fact ->> 'requestId' from wearon.facts where session_id = page.id and seq = 1)) order by created_at desc, id desc), '[]')
    from (select * from wearon.session_rows as r where r.state is not null
        and (p_session is null or r.id = p_session) and (p_state is null or r.state = p_state)
        and (p_tenant is null or r.tenant = p_tenant)
        and (p_before is null or (r.created_at, r.id) < (p_before, p_before_id))
      order by r.created_at desc, r.id desc limit p_limit) as page);
end $$;

-- The open sessions of each tenant, in the order of the tenants.
create or replace function public.wearon_backlogs(p_tenants jsonb) returns json
language sql stable security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
  select coalesce(json_agg((select count(*) from wearon.refunds
      where owner_id = split_part(tenant, ':', 2)::uuid and outcome = 'open') order by place), '[]')
  from jsonb_array_elements_text(p_tenants) with ordinality as asked (tenant, place)
$$;

-- Acceptances: the first answer to a publication ----------------------------------------------------------------------
create or replace function wearon.accept(
  p_session uuid, p_tenant text, p_key text, p_fingerprint text, p_answer jsonb, p_at timestamptz) returns json
language plpgsql set search_path = '' as $$
declare known wearon.acceptances;
begin
  insert into wearon.acceptances (session_id, tenant, key, fingerprint, answer, reserved_at)
    values (p_session, p_tenant, p_key, p_fingerprint, p_answer, p_at) on conflict do nothing;
  if found then return json_build_object('outcome', 'first'); end if;
  select * into known from wearon.acceptances where tenant = p_tenant and key = p_key;
  if found and known.fingerprint <> p_fingerprint then return json_build_object('outcome', 'key_reused'); end if;
  if not found then select * into known from wearon.acceptances where session_id = p_session; end if;
  return json_build_object('outcome', 'again', 'answer', known.answer, 'published', known.published);
end $$;

-- All reservations that are made at the same moment, in their order.
create or replace function public.wearon_accept(p_reservations jsonb) returns json
language plpgsql security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
declare one record; outcomes json[] := '{}';
begin
  for one in select * from jsonb_to_recordset(p_reservations) as reservation (
      session uuid, tenant text, key text, fingerprint text, answer jsonb, at timestamptz) loop
    outcomes := array_append(outcomes, wearon.accept(one.session, one.tenant, one.key, one.fingerprint, one.answer, one.at));
  end loop;
  return array_to_json(outcomes);
end $$;

create or replace function public.wearon_accept_published(p_sessions jsonb) returns void
language sql security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
  update wearon.acceptances set published = true
  where session_id in (select id::uuid from jsonb_array_elements_text(p_sessions) as asked (id))
$$;

create or replace function public.wearon_accepted(p_session uuid) returns jsonb
language sql stable security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
  select answer from wearon.acceptances where session_id = p_session and published
$$;

create or replace function public.wearon_accept_prune(p_before timestamptz) returns bigint
language plpgsql security definer set search_path = '' as $$
declare pruned bigint;
begin
  delete from wearon.acceptances where reserved_at < p_before;
  get diagnostics pruned = row_count;
  return pruned;
end $$;

-- Nobody but the service role may call what is ours (PostgREST offers every function of `public` to whoever may execute it),
-- and nobody reads our tables but through these functions. Each later migration calls this at its end.
create or replace function wearon.lock_down() returns void language plpgsql as $$
declare ours record; who text;
begin
  for ours in select tablename as name from pg_tables where schemaname = 'wearon' loop
    execute format('alter table wearon.%I enable row level security', ours.name);
  end loop;
  for ours in select oid::regprocedure as call, pronamespace = 'public'::regnamespace as callable,
      exists (select from unnest(proconfig) as setting where setting like 'plan_cache_mode=%') as planned from pg_proc
    where pronamespace = 'wearon'::regnamespace or (pronamespace = 'public'::regnamespace and proname like 'wearon\_%') loop
    execute format('revoke all on function %s from public', ours.call);
    foreach who in array array['anon', 'authenticated'] loop
      if exists (select from pg_roles where rolname = who) then execute format('revoke all on function %s from %I', ours.call, who); end if;
    end loop;
    if ours.callable then
      -- A plan that was made and kept while a table was empty would scan it once it is large; and the planner takes JSON
      -- for so many rows that compiling each plan would take longer than everything else. What is called with every request keeps its
      -- plans, and says so itself: planning costs more than running them, and without scans no table is too large for them.
      if not ours.planned then execute format('alter function %s set plan_cache_mode = force_custom_plan', ours.call); end if;
      execute format('alter function %s set jit = off', ours.call);
    end if;
    if ours.callable and exists (select from pg_roles where rolname = 'service_role') then
      execute format('grant execute on function %s to service_role', ours.call);
    end if;
  end loop;
  -- PostgREST keeps a list of the functions; only a hosted project reads it anew by itself.
  perform pg_notify('pgrst', 'reload schema');
end $$;
select wearon.lock_down();
