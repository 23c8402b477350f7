import { isoTime } from '../../events/text.ts'
import type { BookClass } from '../../projections/books.ts'
import { type Line, nothing, type Scope } from './book-lines.ts'
import { type LedgerState, transactionsOf } from './ledger.ts'
import type { StoreState } from './store-state.ts'

/** Accounts whose balance is not the sum of its transactions, as the SQL function `wearon.balance_lines` has them. */
export const differingBalances = ({ ledger }: StoreState, { owner, asOfMs }: Scope): Line[] => {
  const lines = [
    ...[...ledger.users].map(([id, { balance }]) => balanceLine('user', id, null, balance, sumOf(ledger, id))),
    ...[...ledger.stores].map(([id, { balance }]) => balanceLine('store', id, null, balance, sumOf(ledger, id))),
    ...[...ledger.shoppers].map(([key, { balance, earned, spent }]) => {
      const [store = '', email = ''] = key.split('|')
      return balanceLine('shopper', store, email, balance, earned - spent)
    }),
  ]
  return lines
    .filter(({ drift, ownerId }) => drift > 0 && (owner === undefined || owner === ownerId))
    .map((line) => ({ ...line, since: isoTime(asOfMs) }))
}

const sumOf = (ledger: LedgerState, account: string): number =>
  transactionsOf(ledger, account)
    .filter(({ type, description }) => type !== 'overage' && !/\(shopper=|\[shopper_hash=/.test(description))
    .reduce((sum, { amount }) => sum + amount, 0)

const balanceLine = (kind: string, owner: string, email: string | null, balance: number, expected: number): Line => ({
  ...nothing,
  class: 'balance_differs' satisfies BookClass,
  kind: 'account',
  key: `${owner}|${email ?? ''}`,
  channel: kind === 'user' ? 'b2c' : 'b2b',
  ownerId: owner,
  email,
  since: '',
  place: '9999-12-31T00:00:00.000Z',
  drift: Math.abs(balance - expected),
  detail: `the ${kind} has ${balance} credits, its transactions add up to ${expected}`,
})
