import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import { differingBalances } from './balance-lines.ts'
import { isWithin, type Line, nothing, type Scope } from './book-lines.ts'
import type { Transaction } from './ledger.ts'
import { refundsOf, sessionsOfRefunds } from './ledger-refunds.ts'
import { orphanLines } from './orphans.ts'
import type { StoreState } from './store-state.ts'
import { chargesThatDiffer } from './user-days.ts'

/** Everything else in the books, as the SQL functions `wearon.other_lines` and `wearon.balance_lines` have it. */
export const otherLines = (state: StoreState, scope: Scope): Line[] => {
  const aside = scope.owner === undefined ? setAside(state, scope) : []
  if (scope.session !== undefined) return aside
  const isOfNoDay = scope.from === undefined && scope.until === undefined
  return [
    ...aside,
    ...unknownRefunds(state, scope),
    ...chargesThatDiffer(state, scope),
    ...orphans(state, scope),
    ...(isOfNoDay ? differingBalances(state, scope) : []),
  ]
}

const setAside = (state: StoreState, { session, asOfMs }: Scope): Line[] =>
  [...(state.setAside.get('refunds')?.keys() ?? [])]
    .filter((id) => session === undefined || id === session)
    .map((id) => {
      const detail = 'the database refuses its row'
      const since = isoTime(asOfMs)
      return {
        ...nothing,
        class: 'set_aside',
        kind: 'session',
        key: id,
        sessionId: id,
        since,
        place: since,
        drift: 0,
        detail,
      }
    })

/** Refunds of no session of ours; what the platform settled before a task came is explained by its own failed row. */
const unknownRefunds = (state: StoreState, scope: Scope): Line[] => {
  const sessionOf = sessionsOfRefunds(state)
  return refundsOf(state.ledger).flatMap((refund) => {
    const session = sessionOf(refund)
    const row = state.rows.get(session ?? ('' as SessionId))
    // The archive has sessions that the books do not have yet.
    const isKnown = session !== null && (state.refunds.has(session) || state.sessions.has(session))
    const isPlatforms = (session === null && isFailedPush(refund)) || (row?.status === 'failed' && !row.state)
    const isIn =
      Date.parse(refund.createdAt) <= scope.asOfMs &&
      isWithin(scope, refund.createdAt) &&
      (scope.owner === undefined || scope.owner === refund.owner)
    if (!isIn || isKnown || isPlatforms) return []
    return [
      {
        ...nothing,
        class: 'unknown_to_us',
        kind: 'refund',
        key: refund.id,
        sessionId: session,
        channel: refund.requestId === null ? 'b2c' : 'b2b',
        ownerId: refund.owner,
        ledgerRecord: refund.id,
        since: refund.createdAt,
        place: refund.createdAt,
        givenBack: refund.amount,
        drift: refund.amount,
        detail: refund.description,
      },
    ]
  })
}

const orphans = (state: StoreState, scope: Scope): Line[] =>
  orphanLines(state, scope.asOfMs, scope.owner)
    .filter(({ since }) => isWithin(scope, since))
    .map((one) => ({
      ...nothing,
      class: one.class,
      kind: one.class === 'orphan_row' ? 'session' : one.class === 'orphan_charge' ? 'charge' : 'object',
      key: one.key,
      sessionId: one.sessionId,
      channel: one.channel,
      ownerId: one.ownerId,
      since: one.since,
      place: one.since,
      charged: one.credits,
      drift: 0,
      detail: one.detail,
    }))

const isFailedPush = ({ description }: Transaction): boolean => description === 'Queue error - refund'
