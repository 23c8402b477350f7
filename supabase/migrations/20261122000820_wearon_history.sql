-- What was before us: session rows that ended without this system, and what the credit tables prove about them. It only reads;
-- rows are imported, and refunds of theirs approved, by commands.

-- Rows that no fact of ours has written to: from before us, or waiting for their task.
create index if not exists wearon_generation_sessions_past
  on public.generation_sessions (created_at, id) where origin is null;
create index if not exists wearon_store_generation_sessions_past
  on public.store_generation_sessions (created_at, id) where origin is null;
create index if not exists refunds_imported on wearon.refunds (requested_at desc, session_id desc)
  where outcome = 'failed' and state is null;

create or replace view wearon.past_rows with (security_invoker = true) as
  select id, 'b2c' as channel, user_id as owner_id, null as request_id, status, error_message, created_at, completed_at
  from public.generation_sessions where origin is null
  union all
  select id, 'b2b', store_id, case when length(request_id) <= 200 then request_id end, status, error_message, created_at, completed_at
  from public.store_generation_sessions where origin is null;

-- What the ledger says of one row: {"given": the refund's transaction or null, "payer", "credits", "proof", "words"}; null without a
-- row. A request's refund proves itself; a user's older refunds name no session, so their absence alone proves something.
create or replace function wearon.past_evidence(p_session uuid) returns jsonb language plpgsql stable as $$
declare b2c public.generation_sessions; b2b public.store_generation_sessions; charge record; given text; unnamed bigint;
begin
  select * into b2c from public.generation_sessions where id = p_session;
  if b2c.id is not null then
    select ledger_record into given from wearon.given_back(p_session);
    select count(*) into unnamed from public.credit_transactions as t
      where t.user_id = b2c.user_id and t.type = 'refund' and t.created_at >= b2c.created_at
        and wearon.session_named(t.description) is null
        and not exists (select from wearon.refund_records as r where r.ledger_record = t.id::text);
    return jsonb_build_object('given', given, 'payer', 'user', 'credits', 1, 'proof', 'unproved', 'words', case
      when given is not null then 'given back by transaction ' || given
      else format('%s refunds of the user since then name no session', unnamed) end);
  end if;
  select * into b2b from public.store_generation_sessions where id = p_session;
  if b2b.id is null then return null; end if;
  select t.id::text into given from public.store_credit_transactions as t
    where t.store_id = b2b.store_id and t.request_id = b2b.request_id and t.type = 'refund';
  select t.type, -t.amount as credits, coalesce(t.description, '') ~ '\(shopper=|\[shopper_hash=' as of_shopper into charge
    from public.store_credit_transactions as t
    where t.store_id = b2b.store_id and t.request_id = b2b.request_id and t.type in ('deduction', 'overage') order by t.type limit 1;
  return jsonb_build_object('given', given, 'proof', 'proved', 'credits', case charge.type when 'deduction' then charge.credits else 0 end,
    'payer', case when charge.type = 'overage' then 'card' when charge.of_shopper then 'shopper' when charge.type = 'deduction' then 'store'
      when exists (select from public.stores where id = b2b.store_id and subscription_status in ('active', 'trialing')) then 'unknown' end,
    'words', case when given is not null then 'given back by transaction ' || given
      when charge.type is null then 'no charge is on record for the request'
      when charge.type = 'overage' then 'the store''s card was charged: only the payment provider can give it back'
      else format('%s credits were charged for the request and never given back', charge.credits) end);
end $$;

-- A page of ended rows that are no session of ours yet, the oldest first.
create or replace function public.wearon_past_rows(
  p_created_before timestamptz, p_after timestamptz default null, p_after_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(json_build_object('id', page.id, 'channel', page.channel, 'owner_id', page.owner_id,
      'request_id', page.request_id, 'status', page.status, 'created_at', page.created_at,
      'evidence', wearon.past_evidence(page.id)) order by page.created_at, page.id), '[]')
    from (select * from wearon.past_rows as r
      where r.created_at < p_created_before and r.status in ('completed', 'failed')
        and (p_after is null or (r.created_at, r.id) > (p_after, p_after_id))
        and not exists (select from wearon.facts as f where f.session_id = r.id)
      order by r.created_at, r.id limit p_limit) as page);
end $$;

-- A page of imported sessions that failed, were charged, and have neither a refund nor an approval; the newest first.
create or replace function public.wearon_unreturned(p_sessions jsonb default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(page order by requested_at desc, session_id desc), '[]') from (
    select s.session_id, s.channel, s.owner_id, s.request_id, s.requested_at, coalesce(b2c.completed_at, b2b.completed_at) as completed_at,
      coalesce(b2c.error_message, b2b.error_message) as error_message, e.of ->> 'payer' as payer, (e.of ->> 'credits')::integer as credits,
      e.of ->> 'proof' as proof, e.of ->> 'words' as words
    from wearon.refunds as s
      left join public.generation_sessions as b2c on b2c.id = s.session_id
      left join public.store_generation_sessions as b2b on b2b.id = s.session_id
      cross join lateral (select wearon.past_evidence(s.session_id) as of) as e
    where s.outcome = 'failed' and s.state is null and (p_before is null or (s.requested_at, s.session_id) < (p_before, p_before_id))
      and (p_sessions is null or s.session_id in (select value::uuid from jsonb_array_elements_text(p_sessions)))
      and exists (select from wearon.facts as f where f.session_id = s.session_id and f.seq = 1 and f.fact ->> 'type' = 'generation.imported')
      and e.of ->> 'given' is null and e.of ->> 'payer' is not null
    order by s.requested_at desc, s.session_id desc limit p_limit) as page);
end $$;

select wearon.allow_long('wearon_past_rows', 'wearon_unreturned');

select wearon.lock_down();
notify pgrst, 'reload schema';
