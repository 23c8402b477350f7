-- Which migrations this database has, for a client that reaches it by function calls alone.

-- By name: what our own command applied (wearon.migrations), and what `supabase db push` did (its own table).
create or replace function public.wearon_applied_migrations() returns json
language plpgsql stable security definer set search_path = '' as $$
declare names text[] := '{}'; pushed text[];
begin
  if to_regclass('wearon.migrations') is not null then
    execute 'select coalesce(array_agg(name), ''{}'') from wearon.migrations' into names;
  end if;
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    execute 'select coalesce(array_agg(version || ''_'' || name), ''{}'') from supabase_migrations.schema_migrations' into pushed;
  end if;
  return to_json(names || pushed);
end $$;

-- PostgREST gives a call the statement timeout that its function has (a plain connection keeps its own). A hosted project's is
-- 8 s: enough for everything but what goes over whole tables.
create or replace function wearon.allow_long(variadic p_names text[]) returns void language plpgsql as $$
declare call regprocedure;
begin
  for call in select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace and proname = any (p_names) loop
    execute format('alter function %s set statement_timeout = ''55s''', call);
  end loop;
end $$;
select wearon.allow_long('wearon_sessions_after', 'wearon_mend', 'wearon_retry_set_aside', 'wearon_rebuild_switch', 'wearon_reconciliation',
  'wearon_exceptions', 'wearon_totals', 'wearon_reconcile');

select wearon.lock_down();
