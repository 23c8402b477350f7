import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** Plants the fault of a refund that is paid without its idempotency record: each call pays, and no call looks for an earlier one. */
export const plantUnrecordedRefunds = (sql: Sql): Promise<void> =>
  sql.script(`
    create or replace function public.wearon_refund(p_session uuid, p_partition integer, p_epoch bigint) returns json
    language plpgsql security definer set search_path = '' as $$
    declare row public.store_generation_sessions; who uuid; paid text;
    begin
      select user_id into who from public.generation_sessions where id = p_session;
      if who is null then
        select * into row from public.store_generation_sessions where id = p_session;
        return wearon.refund_store_session(row, '{}');
      end if;
      perform public.refund_credits(who, 1, 'refund:' || p_session);
      select id::text into paid from public.credit_transactions where user_id = who and type = 'refund' limit 1;
      return wearon.issued(1, jsonb_build_object('kind', 'user', 'userId', who), paid, 'paid', '{}');
    end $$`)
