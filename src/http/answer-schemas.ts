import { z } from 'zod'
import { Fact } from '../events/fact.ts'
import { SettlementHow } from '../events/refund.ts'
import { LETTER_STATES } from '../machines/ports/dead-letters.ts'
import { type BookClass, bookClasses } from '../projections/books.ts'
import { ORPHAN_CLASSES } from '../projections/orphans.ts'

/** What routes answer, as `/openapi.json` shows it. Tests hold every answer against them. */

const Id = z.guid()
const Time = z.iso.datetime()
const Credits = z.int()
const Count = z.int().nonnegative()
const Channel = z.enum(['b2c', 'b2b'])
const Class = z.enum(Object.keys(bookClasses) as BookClass[])

/** One page of a list; `next` is the cursor of the following one. */
export const pageAnswer = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() })

export const SessionAnswer = z.strictObject({
  session_id: Id,
  state: z.enum(['queued', 'processing', 'completed', 'failed', 'refunded']),
  channel: Channel.nullable(),
  tenant: z.string().nullable(),
  request_id: z.string().nullable(),
  attempts: Count,
  image_url: z.string().nullable(),
  image_url_expires_at: Time.nullable(),
  failure_code: z.string().nullable(),
  error_message: z.string().nullable(),
  processing_time_ms: z.number().nullable(),
  cost_usd: z.number().nullable(),
  created_at: Time.nullable(),
  completed_at: Time.nullable(),
})

export const OneSessionAnswer = SessionAnswer.extend({ image_state: z.enum(['available', 'expired']).nullable() })

export const FactsAnswer = z.strictObject({ items: z.array(Fact) })

/** What was asked was handed on; the session shows what came of it. */
export const AskedAnswer = z.strictObject({ session_id: Id, state: z.string().optional() })

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

export const BooksAnswer = z.strictObject({
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

export const PastAnswer = z.strictObject({
  session_id: Id,
  channel: Channel,
  owner_id: Id,
  request_id: z.string().nullable(),
  requested_at: z.string(),
  ended_at: z.string().nullable(),
  error_message: z.string().nullable(),
  payer: z.string().nullable(),
  credits: Credits.nullable(),
  proof: z.string(),
  detail: z.string().nullable(),
})

export const ImportAnswer = z.strictObject({
  completed: Count,
  failed: Count,
  before: Time,
  next: z.string().nullable(),
})

export const ApprovalAnswer = z.strictObject({
  approved: Count,
  credits: Credits,
  items: z.array(
    z.strictObject({
      session_id: Id,
      verdict: z.enum(['approved', 'not_approvable', 'only_one_by_one']),
      credits: Credits,
    }),
  ),
})

export const ErasureAnswer = z.strictObject({
  sessions: Count,
  open: Count,
  objects: Count,
  letters: Count,
  more: z.boolean(),
})

export const ProjectionsAnswer = z.strictObject({
  head: Count,
  items: z.array(
    z.strictObject({
      name: z.string(),
      position: Count,
      lag_facts: Count,
      /** The age of the oldest fact that its rows do not show yet. */
      lag_seconds: z.number().nonnegative(),
      set_aside: Count,
      gone: Count,
      /** How far its rows are computed aside, while a rebuild runs. */
      rebuild: z.strictObject({ position: Count, target: Count }).nullable(),
    }),
  ),
})

export const RebuildAnswer = z.strictObject({ name: z.string(), state: z.literal('rebuilding') })

export const RepairAnswer = z.strictObject({
  partition: Count,
  common: Count,
  restored: Count,
  kept: Count,
  voided: Count,
  head: z.strictObject({ number: Count, id: z.string() }),
})

export const LetterAnswer = z.strictObject({
  id: z.string(),
  partition: Count,
  reason: z.string(),
  source: z.string(),
  size_bytes: Count,
  attempts: Count,
  first_seen_at: Time,
  last_seen_at: Time,
  state: z.enum(LETTER_STATES),
  replays: Count,
  last_action: z.strictObject({ by: z.string(), at: Time, reason: z.string().nullable() }).nullable(),
})

/** Of `text` and `bytes_base64` one is null. */
export const OpenedLetterAnswer = LetterAnswer.extend({
  text: z.string().nullable(),
  bytes_base64: z.string().nullable(),
  is_cut: z.boolean(),
})

export const LetterDoneAnswer = z.strictObject({ outcome: z.string(), letter: LetterAnswer })

export const ReadersAnswer = z.strictObject({
  items: z.array(z.strictObject({ name: z.string(), behind_steps: Count, waits_since: z.string().nullable() })),
})

export const NameAnswer = z.strictObject({ name: z.string() })

/** RFC 9457; `detail` is always there. */
export const ProblemAnswer = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  request_id: z.string(),
  errors: z.array(z.strictObject({ detail: z.string(), pointer: z.string().optional() })).optional(),
})
