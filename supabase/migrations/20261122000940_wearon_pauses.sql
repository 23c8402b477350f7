-- What the whole fleet is told to wait with, until somebody says that it may go on. Who did what stands in the audit.

create table if not exists wearon.pauses (
  -- 'all', 'list', 'store:<id>' or 'user:<id>'
  scope text primary key, paused_by text not null, why text not null, since timestamptz not null);

create or replace function wearon.pause_json(p_pause wearon.pauses) returns json language sql stable as $$
  select json_build_object('scope', p_pause.scope, 'by', p_pause.paused_by, 'why', p_pause.why, 'since', wearon.utc(p_pause.since))
$$;

create or replace function public.wearon_pauses() returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(wearon.pause_json(p) order by since, scope), '[]') from wearon.pauses as p
$$;

-- Answers the pause that stands: one that stood before stays as it is.
create or replace function public.wearon_pause(p_scope text, p_by text, p_why text, p_since timestamptz) returns json
language plpgsql security definer set search_path = '' as $$
begin
  insert into wearon.pauses (scope, paused_by, why, since) values (p_scope, p_by, p_why, p_since) on conflict do nothing;
  return (select wearon.pause_json(p) from wearon.pauses as p where scope = p_scope);
end $$;

-- Answers the pause that stood, null when none did.
create or replace function public.wearon_resume(p_scope text) returns json
language sql security definer set search_path = '' as $$
  delete from wearon.pauses as p where scope = p_scope returning wearon.pause_json(p)
$$;

select wearon.lock_down();
