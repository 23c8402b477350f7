import { z } from 'zod'
import { SessionId } from '../events/ids.ts'
import type { BookScope } from '../projections/reconciliation.ts'
import { type Caller, keptTo, partsOfTenant } from './caller.ts'
import { Problem } from './problem.ts'

const DAY_MS = 86_400_000

/** The id of a user or a store. */
export const AccountId = z.guid('is not a UUID').transform((id) => id.toLowerCase())

export const Format = z.enum(['csv', 'json'])

/** A moment, or a day for its beginning; UTC. */
export const Moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'is neither a day nor a time')
  .transform((text) => new Date(text).toISOString())

const NO_DAY = 'is no day: YYYY-MM-DD, yesterday or today'
const Day = z.union([z.iso.date(NO_DAY), z.enum(['yesterday', 'today'], NO_DAY)], NO_DAY)

/** The query parameters that choose a part of the books. */
export const scopeQuery = {
  day: Day.optional(),
  from: Moment.optional(),
  until: Moment.optional(),
  store: AccountId.optional(),
  user: AccountId.optional(),
  session: SessionId.optional(),
  as_of: Moment.optional(),
}

type ScopeQuery = z.infer<z.ZodObject<typeof scopeQuery>>

/** What the caller may see of it. @throws Problem for parameters that do not go together, or name another's account. */
export const scopeOf = (
  { day, store, user, session, from, until, as_of: asOf }: ScopeQuery,
  caller: Caller,
  nowMs: number,
): BookScope => {
  if (store && user) throw twoOf('store', 'user')
  if (day && (from || until)) throw twoOf('day', 'from or until')
  const tenant = keptTo(caller, (store && `store:${store}`) ?? (user && `user:${user}`))
  const owner = tenant && partsOfTenant(tenant).id
  return {
    ...(day ? boundsOf(day, nowMs) : { ...(from && { from }), ...(until && { until }) }),
    ...(owner && { owner }),
    ...(session && { session }),
    ...(asOf && { asOf }),
  }
}

/** The same scope at one moment, however many pages are read of it: a millisecond from now, so that all that is there counts. */
export const atOneMoment = (scope: BookScope, nowMs: number): BookScope => ({
  asOf: new Date(nowMs + 1).toISOString(),
  ...scope,
})

const twoOf = (one: string, other: string): Problem =>
  new Problem('invalid_request', { faults: [{ detail: `${one}: does not go together with ${other}` }] })

const boundsOf = (day: string, nowMs: number): Pick<BookScope, 'from' | 'until'> => {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS
  const named: Readonly<Record<string, number>> = { today, yesterday: today - DAY_MS }
  const start = named[day] ?? Date.parse(day)
  return { from: new Date(start).toISOString(), until: new Date(start + DAY_MS).toISOString() }
}
