import { SessionId, StoreId, UserId } from '../src/events/ids.ts'
import type { Owner } from '../src/events/owner.ts'
import type { Charge } from '../src/projections/producer.ts'
import type { Chance } from './chance.ts'

const USERS = 8
const STORES = 4

/** Who orders. One producer serves each, so that no two orders race for an account's last credit. */
export interface Account {
  readonly owner: Owner
  readonly charge: Charge
  readonly shopperEmail?: string
}

/** How a task reaches us: over HTTP, by the producers' list in Redis, or straight into the log's inbox. */
export type Route = 'http' | 'list' | 'inbox'

export interface PlannedSession {
  readonly id: SessionId
  readonly account: Account
  readonly route: Route
  /** Its task names no picture: it must fail and be refunded. Over HTTP it would be refused at the door. */
  readonly broken: boolean
  /** Its tenant thinks better of it, this long after. */
  readonly cancelAfterMs: number | null
  /** A message that is no task at all is published before it. */
  readonly poisonBefore: boolean
  /** When it is ordered at the earliest, as a share of the time in which all are. */
  readonly dueAt: number
}

/** The sessions of one seed, in the order in which they fall due. */
export const planSessions = (chance: Chance, count: number, routes: readonly [Route, ...Route[]]): PlannedSession[] => {
  const accounts = planAccounts(chance)
  return Array.from({ length: count }, (_, index) => {
    const broken = chance.happens(0.02)
    const planned = chance.pick(routes)
    return {
      id: SessionId.parse(chance.uuid()),
      account: chance.pick(accounts),
      route: broken && planned === 'http' ? ('inbox' as const) : planned,
      broken,
      cancelAfterMs: chance.happens(0.03) ? chance.between(0, 400) : null,
      poisonBefore: chance.happens(0.01),
      dueAt: index / count,
    }
  })
}

const planAccounts = (chance: Chance): [Account, ...Account[]] => {
  const user = (): Account => ({
    owner: { channel: 'b2c', userId: UserId.parse(chance.uuid()) },
    charge: 'account',
  })
  const store = (): Owner => ({ channel: 'b2b', storeId: StoreId.parse(chance.uuid()) })
  return [
    user(),
    ...Array.from({ length: USERS - 1 }, user),
    ...Array.from({ length: STORES - 1 }, (): Account => ({ owner: store(), charge: 'account' })),
    { owner: store(), charge: 'shopper', shopperEmail: 'lea@example.com' },
  ]
}
