import { createHash } from 'node:crypto'
import type { Order, Producer } from '../../projections/producer.ts'
import type { Queryable, Sql } from './sql.ts'

/** Plays the producer on the platform's tables: account, charge and session row in one transaction. */
export const postgresProducer = (sql: Sql): Producer => ({
  order: (order) =>
    sql.transaction(async (on) => {
      await (order.owner.channel === 'b2c'
        ? orderOfUser(on, order, order.owner.userId)
        : orderOfStore(on, order, order.owner.storeId))
    }),
})

/** What an account starts with, and buys when it has none left: a user's welcome bonus on the platform. */
const FIRST_CREDITS = 10

const orderOfUser = async (on: Queryable, order: Order, user: string): Promise<void> => {
  await createUser(on, user)
  if (order.charge === 'account') await charge(on, 'select public.deduct_credits($1::uuid, 1) as paid', [user])
  await on.query(
    `insert into public.generation_sessions
       (id, user_id, model_image_url, outfit_image_url, accessories, prompt_system, prompt_user)
     values ($1, $2, $3, $4, $5::text::jsonb, '', $6)`,
    [order.sessionId, user, ...pictures(order), JSON.stringify(order.imageUrls.slice(2)), order.prompt],
  )
}

const orderOfStore = async (on: Queryable, order: Order, store: string): Promise<void> => {
  await createStore(on, store)
  const { requestId, shopperEmail = null } = order
  if (order.charge === 'account') {
    await charge(on, 'select public.deduct_store_credits($1::uuid, 1, $2) as paid', [store, requestId])
  } else if (order.charge === 'shopper' || order.charge === 'shopper_hash') {
    await chargeShopper(on, store, shopperEmail ?? '', order)
  } else if (order.charge === 'overage') {
    await write(on, 'store', store, -1, 'overage', requestId, 'Overage')
  } else if (order.charge === 'unknown') {
    await on.query(`update public.stores set subscription_status = 'active' where id = $1`, [store])
  }
  await on.query(
    `insert into public.store_generation_sessions
       (id, store_id, shopper_email, model_image_url, outfit_image_url, prompt_system, prompt_user, request_id)
     values ($1, $2, $3, $4, $5, '', $6, $7)`,
    [order.sessionId, store, shopperEmail, ...pictures(order), order.prompt, requestId],
  )
}

const pictures = ({ imageUrls: [person, garment] }: Order) => [person ?? '', garment ?? null]

const createUser = async (on: Queryable, user: string): Promise<void> => {
  // A hosted database makes the account itself when the person signs up.
  const [auth] = await on.query<{ found: boolean }>(`select to_regclass('auth.users') is not null as found`)
  const email = `${user}@example.invalid`
  if (auth?.found)
    await on.query('insert into auth.users (id, email) values ($1, $2) on conflict do nothing', [user, email])
  await on.query('insert into public.users (id, email) values ($1, $2) on conflict do nothing', [user, email])
  await on.query(
    'insert into public.user_credits (user_id, balance, total_earned) values ($1, 0, 0) on conflict do nothing',
    [user],
  )
  const bought = await on.query(
    `update public.user_credits set balance = $2::integer, total_earned = total_earned + $2::integer
     where user_id = $1 and balance = 0 returning 1`,
    [user, FIRST_CREDITS],
  )
  if (bought.length > 0) await write(on, 'user', user, FIRST_CREDITS, 'signup_bonus', null, 'credits to begin with')
}

const createStore = async (on: Queryable, store: string): Promise<void> => {
  await on.query('insert into public.stores (id, shop_domain) values ($1, $2) on conflict do nothing', [
    store,
    `${store}.example.invalid`,
  ])
  await on.query('insert into public.store_credits (store_id) values ($1) on conflict do nothing', [store])
  const bought = await on.query(
    `update public.store_credits set balance = $2::integer, total_purchased = total_purchased + $2::integer
     where store_id = $1 and balance = 0 returning 1`,
    [store, FIRST_CREDITS],
  )
  if (bought.length > 0) await write(on, 'store', store, FIRST_CREDITS, 'purchase', null, 'credits to begin with')
}

const chargeShopper = async (on: Queryable, store: string, email: string, { charge: how, requestId }: Order) => {
  await on.query(
    `insert into public.store_shopper_credits as c (store_id, shopper_email, balance, total_purchased)
     values ($1, lower(trim($2)), $3::integer, $3::integer) on conflict (store_id, shopper_email)
     do update set balance = c.balance + $3::integer, total_purchased = c.total_purchased + $3::integer where c.balance = 0`,
    [store, email, FIRST_CREDITS],
  )
  await charge(on, 'select public.deduct_store_shopper_credits($1::uuid, $2, 1, $3) as paid', [store, email, requestId])
  if (how === 'shopper') return
  await on.query(
    `update public.store_credit_transactions set description = 'B2B shopper generation [shopper_hash=' || $3::text || ']'
     where store_id = $1 and request_id = $2 and type = 'deduction'`,
    [store, requestId, shopperHash(email)],
  )
}

/** The platform's older mark of a shopper: the first 12 hex digits of the e-mail's MD5 as its transactions carry it. */
const shopperHash = (email: string): string =>
  createHash('md5').update(email.trim().toLowerCase()).digest('hex').slice(0, 12)

const charge = async (on: Queryable, text: string, values: readonly unknown[]): Promise<void> => {
  const [row] = await on.query<{ paid: boolean }>(text, values)
  if (!row?.paid) throw new Error('the account has no credits left')
}

const write = (
  on: Queryable,
  account: 'user' | 'store',
  owner: string,
  amount: number,
  type: string,
  requestId: string | null,
  description: string,
) =>
  account === 'user'
    ? on.query(
        'insert into public.credit_transactions (user_id, amount, type, description) values ($1, $2::integer, $3, $4)',
        [owner, amount, type, description],
      )
    : on.query(
        `insert into public.store_credit_transactions (store_id, amount, type, request_id, description)
         values ($1, $2::integer, $3, $4, $5)`,
        [owner, amount, type, requestId, description],
      )
