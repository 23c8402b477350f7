-- Who may use the API, and who did what with it.

-- A secret is 256 random bits, so that its plain SHA-256 tells nobody anything: there is nothing to guess from.
create table if not exists wearon.api_keys (
  id text primary key, name text not null, secret_hash text not null check (secret_hash ~ '^[0-9a-f]{64}$'), scopes text[] not null,
  tenant text, created_by text not null, created_at timestamptz not null, expires_at timestamptz, last_used_at timestamptz,
  revoked_at timestamptz);

create table if not exists wearon.audit (
  id uuid primary key, at timestamptz not null, actor text not null, key_id text, action text not null, target text,
  request_id text not null, detail jsonb not null, outcome text);
create index if not exists audit_time on wearon.audit (at desc, id desc);
create index if not exists audit_target on wearon.audit (target, at desc, id desc);

create or replace function public.wearon_key_create(p_key jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into wearon.api_keys (id, name, secret_hash, scopes, tenant, created_by, created_at, expires_at)
  select id, name, secret_hash, scopes, tenant, created_by, created_at, expires_at
  from jsonb_populate_record(null::wearon.api_keys, p_key)
$$;

create or replace function public.wearon_key(p_id text) returns json
language sql stable security definer set search_path = '' as $$
  select row_to_json(k) from wearon.api_keys as k where id = p_id
$$;

create or replace function public.wearon_key_any() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from wearon.api_keys)
$$;

create or replace function public.wearon_keys(p_limit integer) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(k order by created_at desc, id), '[]')
  from (select * from wearon.api_keys order by created_at desc, id limit p_limit) as k
$$;

create or replace function public.wearon_key_revoke(p_id text, p_at timestamptz) returns json
language sql security definer set search_path = '' as $$
  update wearon.api_keys as k set revoked_at = coalesce(revoked_at, p_at) where id = p_id returning row_to_json(k)
$$;

create or replace function public.wearon_key_used(p_id text, p_at timestamptz) returns void
language sql security definer set search_path = '' as $$
  update wearon.api_keys set last_used_at = p_at where id = p_id and (last_used_at is null or last_used_at < p_at)
$$;

create or replace function public.wearon_audit_begin(p_entry jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into wearon.audit (id, at, actor, key_id, action, target, request_id, detail)
  select id, at, actor, key_id, action, target, request_id, detail from jsonb_populate_record(null::wearon.audit, p_entry)
  on conflict do nothing
$$;

create or replace function public.wearon_audit_end(p_id uuid, p_outcome text) returns void
language sql security definer set search_path = '' as $$
  update wearon.audit set outcome = p_outcome where id = p_id and outcome is null
$$;

-- A page, newest first. `p_action`: this one, or all that begin with it and a dot.
create or replace function public.wearon_audit(p_action text default null, p_target text default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(page order by at desc, id desc), '[]') from (
    select * from wearon.audit
    where (p_action is null or action = p_action or starts_with(action, p_action || '.')) and (p_target is null or target = p_target)
      and (p_before is null or (at, id) < (p_before, p_before_id))
    order by at desc, id desc limit p_limit) as page
$$;

select wearon.lock_down();
notify pgrst, 'reload schema';
