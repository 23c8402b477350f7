import type { SessionId } from '../../../events/ids.ts'
import type { Acceptances } from '../../../projections/queries.ts'
import { gathered } from '../gathered.ts'
import { type CallFunction, Refused } from './functions.ts'

/** Publications that one round trip writes at most: some milliseconds of an embedded database. */
const TOGETHER_MAX = 50

type Reservation = Parameters<Acceptances['reserve']>[0]
type Reserved = Awaited<ReturnType<Acceptances['reserve']>>

/** Acceptances behind the database's functions. `now`: ISO 8601. */
export const databaseAcceptances = (call: CallFunction, now: () => string, tripsMax: number): Acceptances => ({
  reserve: gathered({
    run: (reservations: readonly Reservation[]) => reserve(call, reservations, now()),
    itemsMax: TOGETHER_MAX,
    tripsMax,
    isItemsFault: (error) => error instanceof Refused,
  }),
  published: gathered({
    run: async (ids: readonly SessionId[]) => {
      await call('wearon_accept_published', { p_sessions: ids })
      return ids.map(() => undefined)
    },
    itemsMax: TOGETHER_MAX,
    tripsMax,
    isItemsFault: (error) => error instanceof Refused,
  }),
  find: async (id) => (await call('wearon_accepted', { p_session: id })) as object | null,
  prune: async (before) => Number(await call('wearon_accept_prune', { p_before: before })),
})

const reserve = async (call: CallFunction, reservations: readonly Reservation[], at: string): Promise<Reserved[]> => {
  const rows = reservations.map(({ sessionId: session, ...reservation }) => ({ session, ...reservation, at }))
  return (await call('wearon_accept', { p_reservations: rows })) as Reserved[]
}
