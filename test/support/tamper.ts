import type { StoreState } from '../../src/adapters/memory/store-state.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Owner } from '../../src/events/owner.ts'
import { ownerId } from '../../src/projections/sessions.ts'

/** What somebody may do to the credit tables behind everybody's back: each leaves the balances as the transactions say. */
export interface Tamper {
  /** Deletes the ledger's refund of a session. */
  dropRefund(session: SessionId): Promise<void>
  /** Changes what a session's refund gave back. */
  changeRefund(session: SessionId, credits: number): Promise<void>
  /** Moves a session's refund to another account. */
  moveRefund(session: SessionId, to: Owner): Promise<void>
  /** Gives a credit back once more, under words of its own. */
  giveBack(owner: Owner, description: string): Promise<void>
  /** Charges a user for no session, yesterday. */
  charge(owner: Owner): Promise<void>
  /** Makes the transactions of an account this much older. */
  ageCharges(owner: Owner, ms: number): Promise<void>
  /** Changes a balance, and nothing else. */
  changeBalance(owner: Owner, by: number): Promise<void>
  /** Changes what a session row says that it cost. */
  changeRow(session: SessionId, creditsUsed: number): Promise<void>
}

export const sqlTamper = (sql: Sql): Tamper => {
  const [users, stores] = ['public.credit_transactions', 'public.store_credit_transactions']
  const pay = async (owner: Owner, credits: number, spent = credits) => {
    const [table, key] = owner.channel === 'b2b' ? ['store_credits', 'store_id'] : ['user_credits', 'user_id']
    const set = 'balance = balance + $2, total_spent = total_spent - $3'
    await sql.query(`update public.${table} set ${set} where ${key} = $1`, [ownerId(owner), credits, spent])
  }
  const ofSession = `type = 'refund' and description like 'refund:' || $1 || '%'`
  return {
    dropRefund: async (session) => {
      await sql.query(
        `with gone as (delete from ${users} where ${ofSession} returning user_id, amount)
         update public.user_credits as c set balance = c.balance - gone.amount from gone where c.user_id = gone.user_id`,
        [session],
      )
      await sql.query(
        `with gone as (delete from ${stores} where ${ofSession} returning store_id, amount)
         update public.store_credits as c set balance = c.balance - gone.amount from gone where c.store_id = gone.store_id`,
        [session],
      )
    },
    changeRefund: async (session, credits) => {
      await sql.query(
        `with changed as (update ${users} as t set amount = $2 from (select id, amount from ${users} where ${ofSession}) as o
           where t.id = o.id returning t.user_id, $2 - o.amount as more)
         update public.user_credits as c set balance = c.balance + changed.more from changed where c.user_id = changed.user_id`,
        [session, credits],
      )
    },
    moveRefund: async (session, to) => {
      await sql.query(
        `with moved as (update ${users} as t set user_id = $2 from (select id, user_id from ${users} where ${ofSession}) as o
           where t.id = o.id returning o.user_id as was, t.user_id as is, t.amount)
         update public.user_credits as c set balance = c.balance + case c.user_id when moved.is then moved.amount else -moved.amount end
         from moved where c.user_id in (moved.is, moved.was)`,
        [session, ownerId(to)],
      )
    },
    giveBack: async (owner, description) => {
      const call = owner.channel === 'b2b' ? `refund_store_credits($1, 1, $2, $2)` : 'refund_credits($1, 1, $2)'
      await sql.query(`select public.${call}`, [ownerId(owner), description])
    },
    charge: async (owner) => {
      await sql.query(`select public.deduct_credits($1, 1, 'for nothing')`, [ownerId(owner)])
      await sql.query(
        `update ${users} set created_at = created_at - interval '1 day' where user_id = $1 and description = 'for nothing'`,
        [ownerId(owner)],
      )
    },
    ageCharges: async (owner, ms) => {
      const [table, key] = owner.channel === 'b2b' ? [stores, 'store_id'] : [users, 'user_id']
      const older = 'created_at = created_at - make_interval(secs => $2)'
      await sql.query(`update ${table} set ${older} where ${key} = $1`, [ownerId(owner), ms / 1_000])
    },
    changeBalance: (owner, by) => pay(owner, by, 0),
    changeRow: async (session, creditsUsed) => {
      for (const table of ['generation_sessions', 'store_generation_sessions'])
        await sql.query(`update public.${table} set credits_used = $2 where id = $1`, [session, creditsUsed])
    },
  }
}

export const memoryTamper = ({ ledger, rows }: StoreState): Tamper => {
  const find = (session: SessionId) => {
    for (const [account, transactions] of ledger.transactions) {
      const index = transactions.findIndex(({ description }) => description.startsWith(`refund:${session}`))
      const transaction = transactions[index]
      if (transaction) return { account, transactions, index, transaction }
    }
    throw new Error(`no refund of ${session}`)
  }
  const pay = (account: string, credits: number) => {
    const balance = ledger.users.get(account) ?? ledger.stores.get(account)
    if (balance) balance.balance += credits
  }
  const add = (
    owner: string,
    amount: number,
    type: 'refund' | 'generation',
    description: string,
    request: string | null,
    agoMs = 0,
  ) => {
    ledger.count += 1
    const own = ledger.transactions.get(owner) ?? []
    const createdAt = new Date(Date.now() - agoMs).toISOString()
    ledger.transactions.set(owner, [
      ...own,
      { id: `transaction-${ledger.count}`, owner, amount, type, requestId: request, description, createdAt },
    ])
    pay(owner, amount)
  }
  return {
    dropRefund: async (session) => {
      const { account, transactions, index, transaction } = find(session)
      transactions.splice(index, 1)
      pay(account, -transaction.amount)
    },
    changeRefund: async (session, amount) => {
      const { account, transactions, index, transaction } = find(session)
      transactions[index] = { ...transaction, amount }
      pay(account, amount - transaction.amount)
    },
    moveRefund: async (session, to) => {
      const { account, transactions, index, transaction } = find(session)
      transactions.splice(index, 1)
      const owner = ownerId(to)
      ledger.transactions.set(owner, [...(ledger.transactions.get(owner) ?? []), { ...transaction, owner }])
      pay(account, -transaction.amount)
      pay(owner, transaction.amount)
    },
    giveBack: async (owner, description) =>
      add(ownerId(owner), 1, 'refund', description, owner.channel === 'b2b' ? description : null),
    charge: async (owner) => add(ownerId(owner), -1, 'generation', 'for nothing', null, 86_400_000),
    ageCharges: async (owner, ms) => {
      const older = (at: string) => new Date(Date.parse(at) - ms).toISOString()
      const own = ledger.transactions.get(ownerId(owner)) ?? []
      ledger.transactions.set(
        ownerId(owner),
        own.map((one) => ({ ...one, createdAt: older(one.createdAt) })),
      )
    },
    changeBalance: async (owner, by) => pay(ownerId(owner), by),
    changeRow: async (session, creditsUsed) => {
      const row = rows.get(session)
      if (row) rows.set(session, { ...row, creditsUsed })
    },
  }
}
