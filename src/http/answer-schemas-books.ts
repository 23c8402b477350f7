import { z } from 'zod'
import { Fact } from '../events/fact.ts'
import { SettlementHow } from '../events/refund.ts'
import { type BookClass, bookClasses } from '../projections/books.ts'
import { ORPHAN_CLASSES } from '../projections/orphans.ts'
import { Channel, Count, Credits, Id, Time } from './answer-schemas.ts'

/** What routes answer about credits; amounts are credits, times UTC. */

const Class = z.enum(Object.keys(bookClasses) as BookClass[])

export const RefundAnswer = z.strictObject({
  session_id: Id,
  channel: Channel.nullable(),
  owner_id: Id.nullable(),
  request_id: z.string().nullable(),
  state: z.enum(['owed', 'issued', 'waived', 'settled', 'escalated']),
  payer: z
    .strictObject({ kind: z.enum(['user', 'store', 'shopper']), id: z.string(), email: z.string().optional() })
    .nullable(),
  credits: Credits.nullable(),
  since: Time,
  tries: Count,
  last_error: z.string().nullable(),
  ledger_record: z.string().nullable(),
  how: z.enum(['paid', 'found']).nullable(),
  waiver_reason: z.string().nullable(),
  settled_at: Time.nullable(),
  settlement: z.strictObject({ by: z.string(), how: SettlementHow, why: z.string() }).nullable(),
})

export const RefundStoryAnswer = z.strictObject({
  refund: RefundAnswer.nullable(),
  decision: z
    .strictObject({
      kind: z.enum(['issued', 'waived', 'settled']),
      data: z.looseObject({}),
      evidence: z.looseObject({}).nullable(),
      recorded_at: z.string().nullable(),
    })
    .nullable(),
  ledger: z.array(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      amount: Credits,
      account: z.string(),
      description: z.string().nullable(),
      created_at: z.string(),
    }),
  ),
  facts: z.array(Fact),
})

const sums = {
  sessions: Count,
  charged: Credits,
  kept: Credits,
  owed: Credits,
  open: Credits,
  drift: Credits,
  classes: z.partialRecord(Class, Count),
}

const BooksAnswer = z.strictObject({
  ...sums,
  as_of: Time,
  position: Count,
  ledger_lines: Count,
  checksum: z.string(),
  balanced: z.boolean(),
  given_back: Credits,
  escalated: Count,
  oldest_owed_seconds: z.number().nullable(),
  ages: z.record(z.string(), z.strictObject({ sessions: Count, credits: Credits })),
  channels: z.record(
    z.string(),
    z.strictObject({ sessions: Count, charged: Credits, given_back: Credits, drift: Credits }),
  ),
})

export const SummaryAnswer = BooksAnswer.extend({
  /** Of the classes above. */
  meanings: z.partialRecord(
    Class,
    z.strictObject({ meaning: z.string(), severity: z.enum(['none', 'exception', 'imbalance']) }),
  ),
})

export const RunAnswer = BooksAnswer.extend({ id: z.string() })

export const LineAnswer = z.strictObject({
  class: Class,
  kind: z.enum(['session', 'refund', 'account', 'day', 'charge', 'object']),
  session_id: Id.nullable(),
  channel: Channel.nullable(),
  owner_id: Id.nullable(),
  email: z.string().nullable(),
  ledger_record: z.string().nullable(),
  since: z.string(),
  charged: Credits,
  given_back: Credits,
  drift: Credits,
  detail: z.string(),
  meaning: z.string(),
})

export const TotalAnswer = z.strictObject({
  ...sums,
  day: z.iso.date(),
  channel: Channel.nullable(),
  owner_id: Id.nullable(),
  given_back: Credits,
})

export const OrphanAnswer = z.strictObject({
  class: z.enum(ORPHAN_CLASSES),
  session_id: Id.nullable(),
  channel: Channel.nullable(),
  owner_id: Id.nullable(),
  request_id: z.string().nullable(),
  since: z.string(),
  credits: Credits,
  settles: z.enum(['by itself', 'by hand']),
  detail: z.string(),
})
