-- What people look at: lists of sessions however they are filtered, and how many sessions stand in each state.

-- One store's or user's sessions, newest first. None of these columns ever changes, so updates stay out of the indexes.
create index if not exists wearon_generation_sessions_of_user on public.generation_sessions (user_id, created_at desc, id desc);
create index if not exists wearon_store_generation_sessions_of_store on public.store_generation_sessions (store_id, created_at desc, id desc);

drop function if exists public.wearon_sessions(uuid, text, text, timestamptz, uuid, integer);

-- One session's row, or a page of them, newest first. `p_tenant` is `store:<id>` or `user:<id>`.
-- Each table gives its own newest by its index, and is asked with the conditions that are there and no others: so each
-- combination gets a plan of its own. Sessions that have not ended are few among many, and have an index of theirs.
create or replace function public.wearon_sessions(
  p_session uuid default null, p_state text default null, p_channel text default null, p_tenant text default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
declare found json; conditions text := 'state is not null'; parts text[] := '{}'; kind text := split_part(p_tenant, ':', 1);
begin
  if p_session is not null then conditions := conditions || ' and id = $1'; end if;
  if p_state is not null then conditions := conditions || ' and state = $2'; end if;
  if p_state in ('queued', 'processing') then
    conditions := conditions || ' and id = any (array(select session_id from wearon.refunds where outcome = ''open''))';
  end if;
  if p_before is not null then conditions := conditions || ' and (created_at, id) < ($4, $5)'; end if;
  if p_channel is distinct from 'b2b' and kind is distinct from 'store' then
    parts := parts || wearon.newest_of('generation_sessions', 'b2c', 'user', conditions, p_tenant is not null);
  end if;
  if p_channel is distinct from 'b2c' and kind is distinct from 'user' then
    parts := parts || wearon.newest_of('store_generation_sessions', 'b2b', 'store', conditions, p_tenant is not null);
  end if;
  if parts = '{}' then return '[]'; end if;
  execute format($query$
    select coalesce(json_agg(to_jsonb(page) || jsonb_build_object('request_id',
      (select fact ->> 'requestId' from wearon.facts where session_id = page.id and seq = 1)) order by created_at desc, id desc), '[]')
    from (select * from (%s) as newest order by created_at desc, id desc limit $6) as page$query$, array_to_string(parts, ' union all '))
  into found using p_session, p_state, nullif(split_part(p_tenant, ':', 2), '')::uuid, p_before, p_before_id, p_limit;
  return found;
end $$;

-- The newest rows of one of the platform's tables, as text of a query; $3 is the owner, $6 how many.
create or replace function wearon.newest_of(p_table text, p_channel text, p_owner text, p_conditions text, p_owned boolean)
returns text language sql immutable as $$
  select format('(select id, %L as channel, %L || %I as tenant, state, attempts, generated_image_url, url_expires_at, failure_code,
      error_message, processing_time_ms, estimated_cost_usd, created_at, completed_at from public.%I
      where %s%s order by created_at desc, id desc limit $6)',
    p_channel, p_owner || ':', p_owner || '_id', p_table, p_conditions,
    case when p_owned then format(' and %I = $3', p_owner || '_id') else '' end)
$$;

-- How many sessions stand in each of the machine's states, by its own names.
create or replace function public.wearon_census() returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(json_build_object('state', state, 'count', count)), '[]') from (
    select state, sum(count)::bigint as count from (
      select case when outcome in ('completed', 'handed_back') then outcome when state = 'issued' then 'refunded'
        when state is null then 'failed.imported' when state in ('waived', 'settled') then 'failed.settled'
        else 'failed.' || state end as state, count(*) as count
      from wearon.refunds where outcome <> 'open' group by outcome, refunds.state
      union all
      select r.state, count(*) from wearon.refunds as s join wearon.session_rows as r on r.id = s.session_id
      where s.outcome = 'open' and r.state in ('queued', 'processing') group by r.state) as counted
    group by state) as census
$$;

select wearon.lock_down();
