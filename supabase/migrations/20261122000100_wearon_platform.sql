-- The platform's tables and functions, as far as this project needs them, for a database that lacks them (an embedded one,
-- an empty server). What exists is left as it is: on the platform's own database this file changes nothing.

create temporary table if not exists wearon_created (name text primary key);
truncate wearon_created;

do $migration$ begin
if not exists (select from pg_proc where proname = 'uuid_generate_v7' and pronamespace = 'public'::regnamespace) then
create function public.uuid_generate_v7() returns uuid language sql volatile as $$
  select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
    || to_hex(8 + floor(random() * 4)::int) || substr(md5(random()::text), 1, 15))::uuid $$;
end if; end $migration$;

do $migration$ begin
if to_regclass('public.users') is null then
create table public.users (
  id uuid primary key, email text not null, display_name text, avatar_url text,
  gender text check (gender in ('male', 'female', 'other')), age integer check (age >= 13 and age <= 120),
  created_at timestamptz default now(), updated_at timestamptz default now());
-- Only a Supabase project has auth.users.
if to_regclass('auth.users') is not null then
  alter table public.users add foreign key (id) references auth.users on delete cascade;
end if;
alter table public.users enable row level security;
insert into wearon_created values ('users');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.user_credits') is null then
create table public.user_credits (
  id uuid primary key default public.uuid_generate_v7(), user_id uuid not null unique references public.users on delete cascade,
  balance integer not null default 10, total_earned integer default 10, total_spent integer default 0,
  updated_at timestamptz default now(), constraint chk_user_credits_balance check (balance >= 0));
alter table public.user_credits enable row level security;
insert into wearon_created values ('user_credits');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.credit_transactions') is null then
create table public.credit_transactions (
  id uuid primary key default public.uuid_generate_v7(), user_id uuid not null references public.users on delete cascade,
  amount integer not null, type text not null check (type in ('signup_bonus', 'generation', 'refund')),
  description text, created_at timestamptz default now());
alter table public.credit_transactions enable row level security;
insert into wearon_created values ('credit_transactions');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.stores') is null then
create table public.stores (
  id uuid primary key default public.uuid_generate_v7(), shop_domain text not null unique, access_token_encrypted text,
  billing_mode text not null default 'absorb_mode' check (billing_mode in ('absorb_mode', 'resell_mode')),
  retail_credit_price numeric, subscription_tier text, subscription_id text,
  status text not null default 'active' check (status in ('active', 'inactive')), onboarding_completed boolean not null default false,
  created_at timestamptz default now(), updated_at timestamptz default now(), paddle_customer_id text, subscription_status text,
  subscription_current_period_end timestamptz, shopify_product_id text, shopify_variant_id text,
  is_churn_risk boolean not null default false, churn_flagged_at timestamptz,
  owner_user_id uuid);
if to_regclass('auth.users') is not null then
  alter table public.stores add foreign key (owner_user_id) references auth.users on delete set null;
end if;
alter table public.stores enable row level security;
insert into wearon_created values ('stores');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.store_credits') is null then
create table public.store_credits (
  id uuid primary key default public.uuid_generate_v7(), store_id uuid not null unique references public.stores on delete cascade,
  balance integer not null default 0, total_purchased integer not null default 0, total_spent integer not null default 0,
  updated_at timestamptz default now(), constraint chk_store_credits_balance check (balance >= 0));
alter table public.store_credits enable row level security;
insert into wearon_created values ('store_credits');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.store_shopper_credits') is null then
create table public.store_shopper_credits (
  id uuid primary key default public.uuid_generate_v7(), store_id uuid not null references public.stores on delete cascade,
  shopper_email text not null, balance integer not null default 0, total_purchased integer not null default 0,
  total_spent integer not null default 0, created_at timestamptz default now(), updated_at timestamptz default now(),
  unique (store_id, shopper_email), constraint chk_store_shopper_credits_balance check (balance >= 0));
alter table public.store_shopper_credits enable row level security;
insert into wearon_created values ('store_shopper_credits');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.store_credit_transactions') is null then
create table public.store_credit_transactions (
  id uuid primary key default public.uuid_generate_v7(), store_id uuid not null references public.stores on delete cascade,
  amount integer not null, type text not null check (type in ('deduction', 'refund', 'purchase', 'subscription', 'overage')),
  request_id text, description text, created_at timestamptz not null default now(),
  constraint unique_credit_transaction_request unique (store_id, request_id, type));
alter table public.store_credit_transactions enable row level security;
insert into wearon_created values ('store_credit_transactions');
end if; end $migration$;

-- A session row is written some four times: half of each page is kept free for that, so that no index sees it.
do $migration$ begin
if to_regclass('public.generation_sessions') is null then
create table public.generation_sessions (
  id uuid primary key default public.uuid_generate_v7(), user_id uuid not null references public.users on delete cascade,
  status text not null default 'queued' check (status in ('queued', 'pending', 'processing', 'completed', 'failed')),
  model_image_url text not null, outfit_image_url text, accessories jsonb default '[]', stitched_image_url text,
  prompt_system text not null, prompt_user text, generated_image_url text, credits_used integer default 1, error_message text,
  processing_time_ms integer, created_at timestamptz default now(), completed_at timestamptz, input_tokens integer,
  output_tokens integer, estimated_cost_usd numeric(10, 6)) with (fillfactor = 50);
alter table public.generation_sessions enable row level security;
insert into wearon_created values ('generation_sessions');
end if; end $migration$;

do $migration$ begin
if to_regclass('public.store_generation_sessions') is null then
create table public.store_generation_sessions (
  id uuid primary key default public.uuid_generate_v7(), store_id uuid not null references public.stores on delete cascade,
  shopper_email text, status text not null default 'queued' check (status in ('queued', 'processing', 'completed', 'failed')),
  model_image_url text not null, outfit_image_url text, prompt_system text not null, prompt_user text, generated_image_url text,
  credits_used integer not null default 1, error_message text, processing_time_ms integer, request_id text,
  created_at timestamptz not null default now(), completed_at timestamptz, input_tokens integer, output_tokens integer,
  estimated_cost_usd numeric(10, 6)) with (fillfactor = 50);
alter table public.store_generation_sessions enable row level security;
insert into wearon_created values ('store_generation_sessions');
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'handle_new_store' and pronamespace = 'public'::regnamespace) then
create function public.handle_new_store() returns trigger language plpgsql security definer as $$ begin
  insert into public.store_credits (store_id) values (new.id); return new;
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'update_updated_at_column' and pronamespace = 'public'::regnamespace) then
create function public.update_updated_at_column() returns trigger language plpgsql as $$ begin new.updated_at = now(); return new; end $$;
end if; end $migration$;

-- Triggers belong to the tables that were created just now, and to no other.
do $migration$ begin
if exists (select from wearon_created where name = 'stores') then
  create trigger on_store_created after insert on public.stores for each row execute function public.handle_new_store();
end if;
if exists (select from wearon_created where name = 'user_credits') then
  create trigger update_user_credits_updated_at before update on public.user_credits for each row execute function public.update_updated_at_column();
end if;
if exists (select from wearon_created where name = 'store_credits') then
  create trigger update_store_credits_updated_at before update on public.store_credits for each row execute function public.update_updated_at_column();
end if;
if exists (select from wearon_created where name = 'store_shopper_credits') then
  create trigger update_store_shopper_credits_updated_at before update on public.store_shopper_credits for each row execute function public.update_updated_at_column();
end if;
end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'deduct_credits' and pronamespace = 'public'::regnamespace) then
create function public.deduct_credits(p_user_id uuid, p_amount integer, p_description text default 'Image generation') returns boolean language plpgsql as $$
declare have integer;
begin
  select balance into have from public.user_credits where user_id = p_user_id for update;
  if have is null then raise exception 'User credits not found'; end if;
  if have < p_amount then return false; end if;
  update public.user_credits set balance = balance - p_amount, total_spent = total_spent + p_amount where user_id = p_user_id;
  insert into public.credit_transactions (user_id, amount, type, description) values (p_user_id, -p_amount, 'generation', p_description);
  return true;
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'refund_credits' and pronamespace = 'public'::regnamespace) then
create function public.refund_credits(p_user_id uuid, p_amount integer, p_description text default 'Generation failed - refund') returns void language plpgsql as $$ begin
  update public.user_credits set balance = balance + p_amount, total_spent = total_spent - p_amount where user_id = p_user_id;
  insert into public.credit_transactions (user_id, amount, type, description) values (p_user_id, p_amount, 'refund', p_description);
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'deduct_store_credits' and pronamespace = 'public'::regnamespace) then
create function public.deduct_store_credits(p_store_id uuid, p_amount integer, p_request_id text, p_description text default 'Generation credit deduction') returns boolean language plpgsql as $$
declare have integer;
begin
  if p_amount is null or p_amount <= 0 then raise exception 'Amount must be a positive integer, got: %', p_amount; end if;
  select balance into have from public.store_credits where store_id = p_store_id for update;
  if have is null then raise exception 'Store credits not found for store_id: %', p_store_id; end if;
  if have < p_amount then return false; end if;
  update public.store_credits set balance = balance - p_amount, total_spent = total_spent + p_amount where store_id = p_store_id;
  insert into public.store_credit_transactions (store_id, amount, type, request_id, description) values (p_store_id, -p_amount, 'deduction', p_request_id, p_description);
  return true;
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'refund_store_credits' and pronamespace = 'public'::regnamespace) then
create function public.refund_store_credits(p_store_id uuid, p_amount integer, p_request_id text, p_description text default 'Generation failed - refund') returns void language plpgsql as $$ begin
  if p_amount is null or p_amount <= 0 then raise exception 'Amount must be a positive integer, got: %', p_amount; end if;
  update public.store_credits set balance = balance + p_amount, total_spent = total_spent - p_amount where store_id = p_store_id;
  insert into public.store_credit_transactions (store_id, amount, type, request_id, description) values (p_store_id, p_amount, 'refund', p_request_id, p_description);
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'deduct_store_shopper_credits' and pronamespace = 'public'::regnamespace) then
create function public.deduct_store_shopper_credits(p_store_id uuid, p_shopper_email text, p_amount integer, p_request_id text, p_description text default 'B2B shopper generation') returns boolean language plpgsql as $$
declare have integer; email text := lower(trim(p_shopper_email));
begin
  if p_amount <= 0 then raise exception 'Deduction amount must be positive'; end if;
  if email = '' then raise exception 'Shopper email is required'; end if;
  select balance into have from public.store_shopper_credits where store_id = p_store_id and shopper_email = email for update;
  if have is null or have < p_amount then return false; end if;
  update public.store_shopper_credits set balance = balance - p_amount, total_spent = total_spent + p_amount where store_id = p_store_id and shopper_email = email;
  insert into public.store_credit_transactions (store_id, amount, type, request_id, description)
    values (p_store_id, -p_amount, 'deduction', p_request_id, concat(p_description, ' (shopper=', email, ')'));
  return true;
end $$;
end if; end $migration$;

do $migration$ begin
if not exists (select from pg_proc where proname = 'refund_store_shopper_credits' and pronamespace = 'public'::regnamespace) then
create function public.refund_store_shopper_credits(p_store_id uuid, p_shopper_email text, p_amount integer, p_request_id text, p_description text default 'B2B shopper generation failed - refund') returns void language plpgsql as $$
declare email text := lower(trim(p_shopper_email));
begin
  if p_amount <= 0 then raise exception 'Refund amount must be positive'; end if;
  if email = '' then raise exception 'Shopper email is required'; end if;
  update public.store_shopper_credits set balance = balance + p_amount, total_spent = greatest(total_spent - p_amount, 0) where store_id = p_store_id and shopper_email = email;
  if not found then raise exception 'Shopper credits not found for store_id: %, shopper_email: %', p_store_id, email; end if;
  insert into public.store_credit_transactions (store_id, amount, type, request_id, description)
    values (p_store_id, p_amount, 'refund', p_request_id, concat(p_description, ' (shopper=', email, ')'));
end $$;
end if; end $migration$;

drop table wearon_created;
