import { isoTime } from '../../events/text.ts'
import { isWithin, type Line, nothing, type Scope } from './book-lines.ts'
import type { StoreState } from './store-state.ts'

interface UserDay {
  readonly user: string
  readonly day: string
  charges: number
  sessions: number
}

/** Days that are over, with more or fewer charges than rows; two in a row that cancel out are one charge around midnight. */
export const chargesThatDiffer = (state: StoreState, scope: Scope): Line[] => {
  const days = new Map<string, UserDay>()
  const note = (user: string, at: string, charges: number, sessions: number) => {
    if (Date.parse(at) > scope.asOfMs || (scope.owner !== undefined && scope.owner !== user)) return
    const day = at.slice(0, 10)
    const known = days.get(`${user}|${day}`) ?? { user, day, charges: 0, sessions: 0 }
    days.set(`${user}|${day}`, { ...known, charges: known.charges + charges, sessions: known.sessions + sessions })
  }
  for (const row of state.rows.values()) {
    if (row.channel === 'b2c' && row.origin === 'producer') note(row.ownerId, row.createdAt, 0, 1)
  }
  for (const { type, owner, createdAt, amount } of [...state.ledger.transactions.values()].flat()) {
    if (type === 'generation') note(owner, createdAt, -amount, 0)
  }
  const differing = [...days.values()].filter(({ charges, sessions }) => charges !== sessions)
  return differing
    .filter((one) => !differing.some((other) => cancels(one, other)))
    .filter(({ day }) => day < isoTime(scope.asOfMs - MINUTE_MS).slice(0, 10))
    .filter(({ day }) => isWithin(scope, `${day}T00:00:00.000Z`))
    .map(({ user, day, charges, sessions }) => ({
      ...nothing,
      class: 'charges_differ',
      kind: 'day',
      key: `${user}|${day}`,
      channel: 'b2c',
      ownerId: user,
      since: `${day}T00:00:00.000Z`,
      place: `${day}T00:00:00.000Z`,
      charged: charges,
      drift: Math.abs(charges - sessions),
      detail: `${charges} charges for ${sessions} sessions on ${day}`,
    }))
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

const cancels = (one: UserDay, other: UserDay): boolean =>
  one.user === other.user &&
  Math.abs(Date.parse(one.day) - Date.parse(other.day)) === DAY_MS &&
  one.charges - one.sessions === other.sessions - other.charges
