import { z } from 'zod'
import { Withdrawal } from '../../../events/generation.ts'
import type { SessionId } from '../../../events/ids.ts'
import { REFUND_DETAIL_MAX, RefundIssued, RefundSettled, RefundWaived } from '../../../events/refund.ts'
import { clipped } from '../../../events/text.ts'
import type { Platform, RefundOutcome } from '../../../machines/ports/platform.ts'
import type { RowsOwner } from '../../../projections/store.ts'
import { gathered } from '../gathered.ts'
import { type CallFunction, Refused } from './functions.ts'

/** Sessions that one round trip looks at: some milliseconds of an embedded database. */
const LOOKS_MAX = 50

const Outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('issued'), data: RefundIssued.shape.data }),
  z.object({ kind: z.literal('waived'), data: RefundWaived.shape.data }),
  z.object({ kind: z.literal('settled'), data: RefundSettled.shape.data }),
  z.object({ kind: z.literal('refused'), detail: z.string() }),
])

const Look = z.discriminatedUnion('wanted', [
  z.object({ wanted: z.literal(true) }),
  z.object({ wanted: z.literal(false), why: Withdrawal, detail: z.string() }),
])

/** The platform's rows and ledger behind the database's functions. */
export const databasePlatform = (call: CallFunction, rowsOwner: RowsOwner, tripsMax: number): Platform => ({
  look: gathered({
    run: async (sessions: readonly SessionId[]) =>
      z.array(Look).parse(await call('wearon_looks', { p_sessions: sessions, p_rows_owner: rowsOwner })),
    itemsMax: LOOKS_MAX,
    tripsMax,
  }),
  refund: (session, { partition, epoch }) =>
    decided(() => call('wearon_refund', { p_session: session, p_partition: partition, p_epoch: epoch })),
  settle: (session, settlement, { partition, epoch }) => {
    const args = { p_session: session, p_partition: partition, p_epoch: epoch, p_settlement: settlement }
    return decided(() => call('wearon_settle', args))
  },
})

const decided = async (call: () => Promise<unknown>): Promise<RefundOutcome> => {
  try {
    return Outcome.parse(await call())
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { kind: 'error', detail: clipped(`${error.code}: ${error.message}`, REFUND_DETAIL_MAX) }
  }
}
