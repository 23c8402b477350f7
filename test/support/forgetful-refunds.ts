import type { RefundMemory } from '../../src/adapters/memory/platform.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** The fault of a refund without its idempotency record, for the memory store: `openMemoryStore(state, { …, memory: forgetful })`. */
export const forgetful: RefundMemory = { recall: () => null, remember: () => {}, inLedger: () => null }

/** The same fault in the database's function: it pays a user, and keeps and looks for nothing. */
export const plantForgetfulRefund = (sql: Sql): Promise<void> =>
  sql.script(`
    create or replace function public.wearon_refund(p_session uuid, p_partition integer, p_epoch bigint) returns json
    language plpgsql security definer set search_path = '' as $$
    declare payer uuid; paid uuid;
    begin
      select user_id into payer from public.generation_sessions where id = p_session;
      perform public.refund_credits(payer, 1, 'Generation failed - refund');
      select id::text into paid from public.credit_transactions where user_id = payer and type = 'refund'
        order by created_at desc limit 1;
      return json_build_object('kind', 'issued', 'data', json_build_object('credits', 1, 'how', 'paid', 'ledgerRecord', paid,
        'payer', json_build_object('kind', 'user', 'userId', payer)));
    end $$`)
