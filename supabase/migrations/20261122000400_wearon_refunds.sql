-- Refunds: one function decides and pays, in one transaction, at most once per session; and what a try of a generation asks first.

-- What was decided for a session, for good. Whoever inserts the row decides: a payment, or a settlement by hand.
create table if not exists wearon.refund_records (
  session_id uuid primary key,
  -- Null only inside the transaction that decides.
  kind text check (kind in ('issued', 'waived', 'settled')),
  data jsonb,
  -- What the decision was based on: the session row and the charge as they were.
  evidence jsonb,
  -- The ledger's transaction, which can stand for one session only.
  ledger_record text unique,
  recorded_at timestamptz not null default now());

-- Who a B2B transaction belongs to, as its description says: a shopper's carries a mark.
create or replace function wearon.store_payer(p_store uuid, p_description text, p_shopper_email text) returns jsonb
language plpgsql immutable as $$
declare email text := substring(p_description from '\(shopper=([^()]+)\)\s*$');
  hash text := substring(p_description from '\[shopper_hash=([0-9a-f]{12})\]');
begin
  if email is null and hash is not null then
    email := lower(trim(p_shopper_email));
    if email is null or (left(md5(email), 12) <> hash and left(md5(p_shopper_email), 12) <> hash) then
      raise exception 'the charge is marked with shopper hash %, which is not that of the row''s shopper', hash;
    end if;
  end if;
  if email is null then return jsonb_build_object('kind', 'store', 'storeId', p_store); end if;
  return jsonb_build_object('kind', 'shopper', 'storeId', p_store, 'email', email);
end $$;

-- The session that a refund names in its description: ours, or the platform's nightly one.
create or replace function wearon.session_named(p_description text) returns uuid language sql immutable as $$
  select substring(p_description from
    '^(?:refund:|Stuck job recovery: session )([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?: |$)')::uuid
$$;

-- The refund that the ledger already holds for a session, ours or the platform's; no row when there is none.
create or replace function wearon.given_back(p_session uuid) returns table (ledger_record text, credits integer, payer jsonb)
language sql stable as $$
  (select t.id::text, t.amount, jsonb_build_object('kind', 'user', 'userId', t.user_id)
  from public.generation_sessions as r join public.credit_transactions as t on t.user_id = r.user_id and t.type = 'refund'
  where r.id = p_session and (
    t.description = 'refund:' || r.id
    or t.description like 'Stuck job recovery: session ' || r.id || ' %'
    -- The only trace of a failed push: any such refund that is not older than the row and stands for no other session.
    or (t.description = 'Queue error - refund' and r.status = 'failed' and r.error_message = 'Failed to queue job'
      and t.created_at >= least(r.created_at, (select (fact ->> 'at')::timestamptz from wearon.facts where session_id = r.id and seq = 1))
      and not exists (select from wearon.refund_records as record where record.ledger_record = t.id::text)))
  order by (t.description = 'Queue error - refund'), t.created_at limit 1)
  union all
  select t.id::text, t.amount, wearon.store_payer(t.store_id, t.description, r.shopper_email)
  from public.store_generation_sessions as r join public.store_credit_transactions as t
    on t.store_id = r.store_id and t.request_id = r.request_id and t.type = 'refund'
  where r.id = p_session
$$;

-- True when the projection of session rows has the session behind it, so that its row must be there.
create or replace function wearon.row_was_written(p_session uuid) returns boolean language sql stable as $$
  select exists (select from wearon.facts as f join wearon.projections as p on p.name = 'sessions' and f.ordinal <= p.position
      where f.session_id = p_session and f.seq = 1)
    and not exists (select from wearon.set_aside where projection = 'sessions' and session_id = p_session)
$$;

-- Whether the platform still wants a session: {"wanted": true}, or why not.
create or replace function wearon.look(p_session uuid, p_rows_owner text) returns json
language plpgsql stable set search_path = '' as $$
declare status text; message text; given record;
begin
  select * into given from wearon.refund_records where session_id = p_session;
  if found then return json_build_object('wanted', false, 'why', 'given_back', 'detail', 'a refund is on record: ' || given.kind); end if;
  select ledger_record, payer into given from wearon.given_back(p_session);
  if found then
    return json_build_object('wanted', false, 'why', 'given_back', 'detail', 'the ledger holds its refund ' || given.ledger_record);
  end if;
  select r.status, r.error_message into status, message from public.generation_sessions as r where id = p_session
  union all select r.status, r.error_message from public.store_generation_sessions as r where id = p_session;
  return case
    when status = 'completed' then json_build_object('wanted', false, 'why', 'row_completed', 'detail', 'someone else completed the row')
    when status = 'failed' then json_build_object('wanted', false, 'why', 'row_failed', 'detail',
      left('someone else failed the row: ' || coalesce(message, 'no message'), 1000))
    when status is null and (p_rows_owner = 'platform' or wearon.row_was_written(p_session)) then
      json_build_object('wanted', false, 'why', 'row_gone', 'detail', 'there is no session row')
    else json_build_object('wanted', true) end;
end $$;

-- The same of all sessions that are asked about at the same moment, in their order.
create or replace function public.wearon_looks(p_sessions jsonb, p_rows_owner text) returns json
language sql stable security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
  select coalesce(json_agg(wearon.look(id::uuid, p_rows_owner) order by place), '[]')
  from jsonb_array_elements_text(p_sessions) with ordinality as asked (id, place)
$$;

-- Gives the session's credit back at most once. Every error rolls all of it back.
create or replace function public.wearon_refund(p_session uuid, p_partition integer, p_epoch bigint) returns json
language plpgsql security definer set search_path = '' as $$
begin
  return wearon.record_refund(p_session, p_partition, p_epoch, null);
end $$;

-- Notes a settlement by hand ({"by", "how", "why"}) in the place of a payment; whichever has its record first counts.
create or replace function public.wearon_settle(p_session uuid, p_partition integer, p_epoch bigint, p_settlement jsonb) returns json
language plpgsql security definer set search_path = '' as $$
begin
  return wearon.record_refund(p_session, p_partition, p_epoch, p_settlement);
end $$;

-- Whoever inserts the record decides, and everyone else is answered what was decided.
create or replace function wearon.record_refund(p_session uuid, p_partition integer, p_epoch bigint, p_settlement jsonb) returns json
language plpgsql as $$
declare fence bigint; record wearon.refund_records; decision jsonb;
begin
  -- In share mode: a new owner's admission waits until this call is over, and is seen by every later one.
  select epoch into fence from wearon.fences where partition = p_partition for share;
  if fence is distinct from p_epoch then
    return json_build_object('kind', 'refused', 'detail', format('epoch %s of partition %s is not the last admitted one (%s)',
      p_epoch, p_partition, coalesce(fence::text, 'none')));
  end if;
  insert into wearon.refund_records (session_id) values (p_session) on conflict do nothing;
  select * into record from wearon.refund_records where session_id = p_session for update;
  if record.kind is null then
    decision := wearon.decide_refund(p_session, p_settlement);
    update wearon.refund_records set kind = decision ->> 'kind', data = decision -> 'data', evidence = decision -> 'evidence',
      ledger_record = decision -> 'data' ->> 'ledgerRecord' where session_id = p_session returning * into record;
  end if;
  return json_build_object('kind', record.kind, 'data', record.data);
end $$;

-- Decides what a failed session's refund is, and pays it where it is to be paid. The caller holds the record.
create or replace function wearon.decide_refund(p_session uuid, p_settlement jsonb) returns jsonb language plpgsql as $$
declare b2c public.generation_sessions; b2b public.store_generation_sessions; status text; evidence jsonb; given record;
begin
  select * into b2c from public.generation_sessions where id = p_session for update;
  select * into b2b from public.store_generation_sessions where id = p_session for update;
  -- Whoever else pays this account holds its balance row until that is visible.
  perform from public.user_credits where user_id = b2c.user_id for update;
  perform from public.store_credits where store_id = b2b.store_id for update;
  status := coalesce(b2c.status, b2b.status);
  evidence := jsonb_build_object('row', case when b2c.id is not null
    then jsonb_build_object('userId', b2c.user_id, 'status', b2c.status, 'creditsUsed', b2c.credits_used, 'createdAt', b2c.created_at)
    else jsonb_build_object('storeId', b2b.store_id, 'status', b2b.status, 'requestId', b2b.request_id, 'createdAt', b2b.created_at) end);

  if status = 'completed' or exists (select from wearon.facts where session_id = p_session
      and fact ->> 'type' = 'generation.completed') then
    return wearon.waived('row_completed', 'the session is completed: ' || case when status = 'completed'
      then 'its row says so' else 'its facts say so' end, evidence);
  end if;
  select * into given from wearon.given_back(p_session);
  if found then return wearon.issued(given.credits, given.payer, given.ledger_record, 'found', evidence); end if;
  if p_settlement is not null then
    perform wearon.close_row(p_session);
    return jsonb_build_object('kind', 'settled', 'evidence', evidence, 'data', p_settlement);
  end if;
  if status is null then
    return wearon.waived('never_charged', 'there is no session row, so nobody to give anything back to', evidence);
  end if;
  if exists (select from wearon.created_rows where session_id = p_session) then
    return wearon.waived('never_charged', 'the row was made here: no producer charged for it', evidence);
  end if;
  perform wearon.close_row(p_session);
  if b2c.id is not null then return wearon.pay_user(b2c.user_id, p_session, evidence); end if;
  return wearon.refund_store_session(b2b, evidence);
end $$;

-- Our projection may lag, and the platform's midnight job gives back what still looks as if it were going.
create or replace function wearon.close_row(p_session uuid) returns void language sql as $$
  update public.generation_sessions set status = 'failed'
    where id = p_session and status in ('queued', 'pending', 'processing')
$$;

create or replace function wearon.refund_store_session(p_row public.store_generation_sessions, p_evidence jsonb) returns jsonb
language plpgsql as $$
declare charge public.store_credit_transactions; evidence jsonb;
begin
  select * into charge from public.store_credit_transactions
    where store_id = p_row.store_id and request_id = p_row.request_id and type = 'deduction';
  evidence := p_evidence || jsonb_build_object('charge', to_jsonb(charge));
  if charge.id is not null then
    return wearon.pay_store(wearon.store_payer(p_row.store_id, charge.description, p_row.shopper_email), -charge.amount,
      p_row.request_id, p_row.id, evidence);
  end if;
  if exists (select from public.store_credit_transactions
      where store_id = p_row.store_id and request_id = p_row.request_id and type = 'overage') then
    return wearon.waived('overage', 'the store''s card was charged: only the payment provider can give it back', evidence);
  end if;
  if exists (select from public.stores where id = p_row.store_id and subscription_status in ('active', 'trialing')) then
    return wearon.waived('charge_unknown', 'no charge is on record, and the store has a subscription that may have been charged', evidence);
  end if;
  return wearon.waived('never_charged', 'no charge is on record', evidence);
end $$;

create or replace function wearon.pay_user(p_user uuid, p_session uuid, p_evidence jsonb) returns jsonb language plpgsql as $$
declare paid text;
begin
  if not exists (select from public.user_credits where user_id = p_user) then
    raise exception 'user % has no balance row to give the credit back to', p_user;
  end if;
  perform set_config('search_path', 'public, pg_temp', true);
  perform public.refund_credits(p_user, 1, 'refund:' || p_session);
  perform set_config('search_path', '', true);
  select id::text into strict paid from public.credit_transactions
    where user_id = p_user and type = 'refund' and description = 'refund:' || p_session;
  return wearon.issued(1, jsonb_build_object('kind', 'user', 'userId', p_user), paid, 'paid', p_evidence);
end $$;

create or replace function wearon.pay_store(p_payer jsonb, p_credits integer, p_request text, p_session uuid, p_evidence jsonb)
returns jsonb language plpgsql as $$
declare store uuid := p_payer ->> 'storeId'; paid text;
begin
  -- The platform's functions may name their tables without a schema.
  perform set_config('search_path', 'public, pg_temp', true);
  if p_payer ->> 'kind' = 'shopper' then
    perform public.refund_store_shopper_credits(store, p_payer ->> 'email', p_credits, p_request, 'refund:' || p_session);
  elsif exists (select from public.store_credits where store_id = store) then
    perform public.refund_store_credits(store, p_credits, p_request, 'refund:' || p_session);
  else
    raise exception 'store % has no balance row to give the credit back to', store;
  end if;
  perform set_config('search_path', '', true);
  select id::text into strict paid from public.store_credit_transactions
    where store_id = store and request_id = p_request and type = 'refund';
  return wearon.issued(p_credits, p_payer, paid, 'paid', p_evidence);
end $$;

create or replace function wearon.issued(p_credits integer, p_payer jsonb, p_record text, p_how text, p_evidence jsonb) returns jsonb
language sql immutable as $$
  select jsonb_build_object('kind', 'issued', 'evidence', p_evidence, 'data',
    jsonb_build_object('credits', p_credits, 'payer', p_payer, 'ledgerRecord', p_record, 'how', p_how))
$$;

create or replace function wearon.waived(p_reason text, p_detail text, p_evidence jsonb) returns jsonb language sql immutable as $$
  select jsonb_build_object('kind', 'waived', 'evidence', p_evidence, 'data',
    jsonb_build_object('reason', p_reason, 'detail', p_detail))
$$;

-- A page of refunds, newest first. `p_payer`: an account's id or a shopper's e-mail; since and until bound when it came to be owed.
create or replace function public.wearon_refunds(
  p_state text default null, p_channel text default null, p_owner uuid default null, p_payer text default null,
  p_since timestamptz default null, p_until timestamptz default null,
  p_before timestamptz default null, p_before_id uuid default null, p_limit integer default 1) returns json
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select coalesce(json_agg(page order by since desc, session_id desc), '[]') from (
    select * from wearon.refunds as r where r.state is not null and (p_state is null or r.state = p_state)
      and (p_channel is null or r.channel = p_channel) and (p_owner is null or r.owner_id = p_owner)
      and (p_payer is null or r.payer_id::text = lower(p_payer) or r.payer_email = lower(p_payer))
      and (p_since is null or r.since >= p_since) and (p_until is null or r.since < p_until)
      and (p_before is null or (r.since, r.session_id) < (p_before, p_before_id))
    order by r.since desc, r.session_id desc limit p_limit) as page);
end $$;

select wearon.lock_down();
