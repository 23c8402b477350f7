-- How long personal data lives in what is ours. Facts stay, with their order, ids and credits; what could lead to a person goes.

create table if not exists wearon.erased_sessions (session_id uuid primary key, erased_at timestamptz not null default now());

-- Who had what erased, when: ids, and no personal data.
create table if not exists wearon.erasures (
  id uuid primary key default public.uuid_generate_v7(), owner_kind text not null check (owner_kind in ('user', 'store')), owner_id uuid not null,
  requested_by text not null, requested_at timestamptz not null default now(), sessions integer not null);

create or replace function wearon.closes(p_fact jsonb) returns boolean language sql immutable as $$
  select p_fact ->> 'type' in ('generation.completed', 'generation.handed_back', 'refund.issued', 'refund.waived', 'refund.settled')
    or p_fact ->> 'type' = 'generation.imported' and p_fact #>> '{data,end}' = 'completed'
$$;

-- A result's own signature is what the front ends show it by: it goes once it is worth nothing. Answers how many went.
create or replace function public.wearon_forget_expired(p_now timestamptz, p_limit integer) returns bigint
language plpgsql security definer set search_path = '' as $$
declare forgotten bigint;
begin
  with expired as (
    delete from wearon.signed_results as s using (
      select r.session_id from wearon.signed_results as r where r.expires_at < p_now order by r.expires_at limit p_limit for update skip locked) as old
    where s.session_id = old.session_id returning s.session_id)
  update wearon.facts as f
    set fact = jsonb_set(f.fact, '{data,result,url}', to_jsonb(split_part(f.fact #>> '{data,result,url}', '?', 1)))
    from expired where f.session_id = expired.session_id and f.fact ->> 'type' = 'generation.completed';
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

-- Erasure ---------------------------------------------------------------------------------------------------------------
create or replace function wearon.sessions_of(p_kind text, p_owner uuid) returns setof uuid language sql stable as $$
  select session_id from wearon.refunds where owner_id = p_owner and channel = case p_kind when 'user' then 'b2c' else 'b2b' end
  union select id from public.generation_sessions where p_kind = 'user' and user_id = p_owner
  union select id from public.store_generation_sessions where p_kind = 'store' and store_id = p_owner
$$;

-- The facts of the next closed sessions of an owner that are not erased yet, and how many of its sessions are not closed.
create or replace function public.wearon_erasable(p_kind text, p_owner uuid, p_limit integer) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (with known as (
    select o.id, f.closed from wearon.sessions_of(p_kind, p_owner) as o(id) cross join lateral (
      select wearon.closes((array_agg(fact order by seq desc))[1]) as closed
      from wearon.facts where session_id = o.id) as f
    where f.closed is not null and not exists (select from wearon.erased_sessions as e where e.session_id = o.id))
  select json_build_object('open', (select count(*) from known where not closed), 'sessions', (select coalesce(json_agg(facts), '[]') from (
    select (select json_agg(fact order by seq) from wearon.whole_facts where session_id = one.id) as facts
    from (select id from known where closed order by id limit p_limit) as one) as histories)));
end $$;

-- Puts the erased facts in the place of the others, and blanks what was made of those.
create or replace function public.wearon_erase(p_facts jsonb) returns integer
language plpgsql security definer set search_path = '' as $$
declare ids uuid[];
begin
  select coalesce(array_agg(distinct (fact ->> 'sessionId')::uuid), '{}') into ids from jsonb_array_elements(p_facts) as fact;
  update wearon.facts as f set fact = erased.fact from jsonb_array_elements(p_facts) as erased(fact)
    where f.session_id = (erased.fact ->> 'sessionId')::uuid and f.seq = (erased.fact ->> 'seq')::integer
      and f.fact ->> 'type' = erased.fact ->> 'type';
  update wearon.refunds set last_error = case when last_error is not null then '' end,
    payer_email = case when payer_email is not null then 'erased' end,
    settled_why = case when settled_why is not null then 'erased' end where session_id = any (ids);
  update wearon.refund_records set evidence = evidence #- '{charge,description}',
    data = case when data #> '{payer,email}' is not null then jsonb_set(data, '{payer,email}', '"erased"')
      when data ? 'why' then jsonb_set(data, '{why}', '"erased"') else data end where session_id = any (ids);
  update wearon.set_aside set reason = left(reason, 5), patch = wearon.erased_patch(patch) where session_id = any (ids);
  update wearon.shadow_rows set patch = wearon.erased_patch(patch) where session_id = any (ids);
  delete from wearon.signed_results where session_id = any (ids);
  delete from wearon.signed_facts where session_id = any (ids);
  delete from wearon.acceptances where session_id = any (ids);
  -- The platform's own columns are the platform's to erase; the URL is ours, and so are the rows that we made.
  update public.generation_sessions set generated_image_url = 'expired' where id = any (ids) and generated_image_url is not null;
  update public.store_generation_sessions set generated_image_url = 'expired' where id = any (ids) and generated_image_url is not null;
  update public.generation_sessions set model_image_url = 'expired', outfit_image_url = null, accessories = '[]', prompt_user = null
    where id = any (ids) and id in (select session_id from wearon.created_rows);
  update public.store_generation_sessions set model_image_url = 'expired', outfit_image_url = null, prompt_user = null, shopper_email = null
    where id = any (ids) and id in (select session_id from wearon.created_rows);
  insert into wearon.erased_sessions (session_id) select unnest(ids) on conflict do nothing;
  return cardinality(ids);
end $$;

create or replace function wearon.erased_patch(p_patch jsonb) returns jsonb language sql immutable as $$
  select p_patch
    || case when p_patch ? 'image_urls' then '{"image_urls": ["expired"]}'::jsonb else '{}' end
    || case when p_patch ? 'prompt' then '{"prompt": ""}'::jsonb else '{}' end
    || case when p_patch ? 'generated_image_url' then '{"generated_image_url": "expired"}'::jsonb else '{}' end
    || case when p_patch ? 'last_error' then '{"last_error": ""}'::jsonb else '{}' end
    || case when p_patch ? 'payer_email' then '{"payer_email": "erased"}'::jsonb else '{}' end
    || case when p_patch ? 'settled_why' then '{"settled_why": "erased"}'::jsonb else '{}' end
$$;

create or replace function public.wearon_note_erasure(p_kind text, p_owner uuid, p_by text, p_sessions integer) returns void
language sql security definer set search_path = '' as $$
  insert into wearon.erasures (owner_kind, owner_id, requested_by, sessions) values (p_kind, p_owner, p_by, p_sessions)
$$;

do $$ declare call regprocedure; begin
  for call in select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
      and proname in ('wearon_erasable', 'wearon_erase', 'wearon_forget_expired') loop
    execute format('alter function %s set statement_timeout = ''55s''', call);
  end loop;
end $$;

select wearon.lock_down();
notify pgrst, 'reload schema';
