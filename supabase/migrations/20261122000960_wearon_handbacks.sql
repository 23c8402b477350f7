-- Sessions that leave for the producers' list again: who can, who is on the way, and how many went.

create index if not exists facts_releases on wearon.facts (ordinal) where fact ->> 'type' = 'generation.released';
create index if not exists facts_handed_back on wearon.facts (session_id) where fact ->> 'type' = 'generation.handed_back';

-- The releases that their sessions' facts end with.
create or replace view wearon.releases with (security_invoker = true) as
  select f.ordinal, f.session_id from wearon.facts as f where f.fact ->> 'type' = 'generation.released'
    and not exists (select from wearon.facts as later where later.session_id = f.session_id and later.seq > f.seq);

-- Sessions that wait and were never tried, by id. `p_tenant`: `store:<id>` or `user:<id>`.
create or replace function public.wearon_untouched(p_tenant text default null, p_after uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(session_id order by session_id), '[]') from (
    select s.session_id from wearon.refunds as s join wearon.session_rows as r on r.id = s.session_id
    where s.outcome = 'open' and r.state = 'queued' and r.attempts = 0
      and (p_tenant is null or s.owner_id = split_part(p_tenant, ':', 2)::uuid) and (p_after is null or s.session_id > p_after)
      and not exists (select from wearon.releases as o where o.session_id = s.session_id)
    order by s.session_id limit p_limit) as page);
end $$;

-- The facts of each, the oldest release first; none that the session rows have not followed to it.
create or replace function public.wearon_released(p_limit integer) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg((select json_agg(fact order by seq) from wearon.whole_facts where session_id = page.session_id)
      order by ordinal), '[]') from (
    select * from wearon.releases where ordinal <= public.wearon_projection_position('sessions') order by ordinal limit p_limit) as page);
end $$;

create or replace function public.wearon_handback_counts() returns json
language sql stable security definer set search_path = '' as $$
  select json_build_object('released', (select count(*) from wearon.releases),
    'handed_back', (select count(*) from wearon.facts where fact ->> 'type' = 'generation.handed_back'))
$$;

select wearon.allow_long('wearon_untouched', 'wearon_handback_counts');

select wearon.lock_down();
