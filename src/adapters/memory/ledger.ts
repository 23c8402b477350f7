import { isoTime } from '../../events/text.ts'

export interface Balance {
  balance: number
  earned: number
  spent: number
}

type TransactionType = 'signup_bonus' | 'generation' | 'deduction' | 'refund' | 'purchase' | 'overage'

export interface Transaction {
  readonly id: string
  /** The user or the store. */
  readonly owner: string
  /** Negative for a charge. */
  readonly amount: number
  readonly type: TransactionType
  readonly requestId: string | null
  readonly description: string
  readonly createdAt: string
}

/** The platform's credit tables: plain data. */
export interface LedgerState {
  /** Users and stores that exist, with or without a balance. */
  readonly accounts: Set<string>
  readonly users: Map<string, Balance>
  readonly stores: Map<string, Balance>
  /** Keyed `<store>|<email>`. */
  readonly shoppers: Map<string, Balance>
  readonly subscriptions: Map<string, string>
  /** By owner, oldest first. */
  readonly transactions: Map<string, Transaction[]>
  count: number
}

export const emptyLedger = (): LedgerState => ({
  accounts: new Set(),
  users: new Map(),
  stores: new Map(),
  shoppers: new Map(),
  subscriptions: new Map(),
  transactions: new Map(),
  count: 0,
})

export const shopperKey = (store: string, email: string): string => `${store}|${email.trim().toLowerCase()}`

export const transactionsOf = (state: LedgerState, owner: string): readonly Transaction[] =>
  state.transactions.get(owner) ?? []

type Entry = Pick<Transaction, 'owner' | 'amount' | 'type' | 'description'> & { requestId?: string | null }

/** The platform's functions with the rules of its SQL. Each is one transaction: it throws before it changes anything. */
export class MemoryLedger {
  readonly state: LedgerState
  readonly #now: () => number

  constructor(state: LedgerState, now: () => number) {
    this.state = state
    this.#now = now
  }

  /** Makes the account where it is missing, and buys credits for one that has none left. */
  fund(kind: 'users' | 'stores', owner: string, credits: number): void {
    const account = this.state[kind].get(owner) ?? { balance: 0, earned: 0, spent: 0 }
    this.state.accounts.add(owner)
    this.state[kind].set(owner, account)
    if (account.balance > 0 || credits === 0) return
    account.balance += credits
    account.earned += credits
    const type = kind === 'users' ? 'signup_bonus' : 'purchase'
    this.write({ owner, amount: credits, type, description: 'credits to begin with' })
  }

  fundShopper(store: string, email: string, credits: number): void {
    const key = shopperKey(store, email)
    const account = this.state.shoppers.get(key) ?? { balance: 0, earned: 0, spent: 0 }
    this.state.shoppers.set(key, account)
    if (account.balance > 0) return
    account.balance += credits
    account.earned += credits
  }

  deductUser(owner: string, amount: number): boolean {
    return this.#deduct(this.state.users.get(owner), {
      owner,
      amount: -amount,
      type: 'generation',
      description: 'Image generation',
    })
  }

  deductStore(owner: string, amount: number, requestId: string): boolean {
    const description = 'Generation credit deduction'
    return this.#deduct(this.state.stores.get(owner), {
      owner,
      amount: -amount,
      type: 'deduction',
      requestId,
      description,
    })
  }

  deductShopper(owner: string, email: string, amount: number, requestId: string, mark: string): boolean {
    const description = `B2B shopper generation ${mark}`
    const balance = this.state.shoppers.get(shopperKey(owner, email))
    return this.#deduct(balance, { owner, amount: -amount, type: 'deduction', requestId, description })
  }

  /** Without a balance it changes nothing and still writes the transaction. */
  refundUser(owner: string, amount: number, description: string): Transaction {
    return this.#giveBack(this.state.users.get(owner), { owner, amount, type: 'refund', description })
  }

  refundStore(owner: string, amount: number, requestId: string, description: string): Transaction {
    return this.#giveBack(this.state.stores.get(owner), { owner, amount, type: 'refund', requestId, description })
  }

  refundShopper(owner: string, email: string, amount: number, requestId: string, description: string): Transaction {
    const balance = this.state.shoppers.get(shopperKey(owner, email))
    if (balance === undefined)
      throw new Error(`Shopper credits not found for store_id: ${owner}, shopper_email: ${email}`)
    const mark = `(shopper=${email.trim().toLowerCase()})`
    return this.#giveBack(balance, { owner, amount, type: 'refund', requestId, description: `${description} ${mark}` })
  }

  write(entry: Entry): Transaction {
    const { state } = this
    const own = state.transactions.get(entry.owner) ?? []
    const requestId = entry.requestId ?? null
    if (requestId !== null && own.some((other) => other.requestId === requestId && other.type === entry.type)) {
      throw new Error('duplicate key value violates unique constraint "unique_credit_transaction_request"')
    }
    state.count += 1
    const transaction = { ...entry, requestId, id: `transaction-${state.count}`, createdAt: isoTime(this.#now()) }
    own.push(transaction)
    state.transactions.set(entry.owner, own)
    return transaction
  }

  #deduct(balance: Balance | undefined, entry: Entry): boolean {
    if (balance === undefined || balance.balance + entry.amount < 0) return false
    this.write(entry)
    balance.balance += entry.amount
    balance.spent -= entry.amount
    return true
  }

  #giveBack(balance: Balance | undefined, entry: Entry): Transaction {
    const transaction = this.write(entry)
    if (balance !== undefined) {
      balance.balance += entry.amount
      balance.spent -= entry.amount
    }
    return transaction
  }
}
