import { randomUUID } from 'node:crypto'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { SessionId, StoreId, UserId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import type { Charge } from '../../src/projections/producer.ts'

/** A session that the platform's producer charged for, as its tables show it. */
export interface Ordered {
  readonly sessionId: SessionId
  readonly owner: Owner
  readonly charge: Charge
  readonly requestId: string
  readonly email: string | null
}

const USERS = 200
const STORES = 60
const CREDITS = 1_000

/** Every way in which a session is paid for, as often as they come in turn. */
const CHARGES: readonly (Charge | 'user')[] = [
  ...Array.from({ length: 8 }, () => 'user' as const),
  ...Array.from({ length: 5 }, () => 'account' as const),
  ...Array.from({ length: 3 }, () => 'shopper' as const),
  'shopper_hash',
  'overage',
  'unknown',
  'nobody',
]

/** Orders so many sessions on the platform's tables at once: accounts, charges and rows, as its own functions leave them. */
export const orderMany = async (sql: Sql, count: number): Promise<Ordered[]> => {
  const users = Array.from({ length: USERS }, () => UserId.parse(randomUUID()))
  const stores = Array.from({ length: STORES }, () => StoreId.parse(randomUUID()))
  const orders = Array.from({ length: count }, (_, index) => orderAt(index, users, stores))
  await sql.script(accounts(users, stores))
  await sql.script(`create temporary table placed as select * from jsonb_to_recordset('${JSON.stringify(
    orders.map(({ sessionId, owner, charge, requestId, email }) => ({
      session: sessionId,
      account: owner.channel === 'b2b' ? owner.storeId : owner.userId,
      channel: owner.channel,
      charge,
      request: requestId,
      email,
    })),
  )}') as (session uuid, account uuid, channel text, charge text, request text, email text);
  ${CHARGING}
  drop table placed;`)
  return orders
}

const orderAt = (index: number, users: readonly UserId[], stores: readonly StoreId[]): Ordered => {
  const sessionId = SessionId.parse(randomUUID())
  const how = CHARGES[Math.floor(index / 3) % CHARGES.length] ?? 'user'
  const requestId = `req_${sessionId}`
  if (how === 'user') {
    const userId = users[index % USERS] as UserId
    return { sessionId, owner: { channel: 'b2c', userId }, charge: 'account', requestId, email: null }
  }
  // The last ten have a subscription: a charge of theirs may be missing though their card was charged.
  const storeId = stores[how === 'unknown' ? STORES - 1 - (index % 10) : index % (STORES - 10)] as StoreId
  const email = how.startsWith('shopper') ? `shopper${index % 5}@example.com` : 'anna@example.com'
  return { sessionId, owner: { channel: 'b2b', storeId }, charge: how, requestId, email }
}

const accounts = (users: readonly string[], stores: readonly string[]): string => `
  create temporary table people as select unnest('{${users.join(',')}}'::uuid[]) as id;
  insert into auth.users (id, email) select id, id || '@example.com' from people;
  update public.user_credits set balance = balance + ${CREDITS}, total_earned = total_earned + ${CREDITS}
    where user_id in (select id from people);
  insert into public.credit_transactions (user_id, amount, type, description) select id, ${CREDITS}, 'signup_bonus', 'more' from people;
  drop table people;
  create temporary table shops as select unnest('{${stores.join(',')}}'::uuid[]) as id;
  insert into public.stores (id, shop_domain, subscription_status)
    select id, id || '.example.com', case when id = any('{${stores.slice(-10).join(',')}}'::uuid[]) then 'active' end from shops;
  update public.store_credits set balance = ${CREDITS}, total_purchased = ${CREDITS} where store_id in (select id from shops);
  insert into public.store_credit_transactions (store_id, amount, type, description) select id, ${CREDITS}, 'purchase', 'credits' from shops;
  insert into public.store_shopper_credits (store_id, shopper_email, balance, total_purchased)
    select id, 'shopper' || n || '@example.com', ${CREDITS}, ${CREDITS} from shops, generate_series(0, 4) as n;
  drop table shops;`

const CHARGING = `
  insert into public.generation_sessions (id, user_id, model_image_url, prompt_system)
    select session, account, 'https://images.example/person.jpg', '' from placed where channel = 'b2c';
  insert into public.store_generation_sessions (id, store_id, shopper_email, model_image_url, prompt_system, request_id)
    select session, account, email, 'https://images.example/person.jpg', '', request from placed where channel = 'b2b';
  insert into public.credit_transactions (user_id, amount, type, description)
    select account, -1, 'generation', 'Image generation' from placed where channel = 'b2c';
  insert into public.store_credit_transactions (store_id, amount, type, request_id, description)
    select account, -1, case charge when 'overage' then 'overage' else 'deduction' end, request, case charge
      when 'shopper' then 'B2B shopper generation (shopper=' || email || ')'
      when 'shopper_hash' then 'B2B shopper generation [shopper_hash=' || left(md5(email), 12) || ']'
      else 'Generation credit deduction' end
    from placed where channel = 'b2b' and charge not in ('unknown', 'nobody');
  update public.user_credits as c set balance = balance - t.count, total_spent = total_spent + t.count
    from (select account, count(*)::integer from placed where channel = 'b2c' group by account) as t where c.user_id = t.account;
  update public.store_credits as c set balance = balance - t.count, total_spent = total_spent + t.count
    from (select account, count(*)::integer from placed where channel = 'b2b' and charge = 'account' group by account) as t
    where c.store_id = t.account;
  update public.store_shopper_credits as c set balance = balance - t.count, total_spent = total_spent + t.count
    from (select account, email, count(*)::integer from placed where charge like 'shopper%' group by account, email) as t
    where c.store_id = t.account and c.shopper_email = t.email;`
