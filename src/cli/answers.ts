import { z } from 'zod'
import { Fact } from '../events/fact.ts'

/** A session as HTTP shows it. */
export const SessionAnswer = z.object({
  session_id: z.string(),
  state: z.enum(['queued', 'processing', 'completed', 'failed', 'refunded']),
  channel: z.string().nullable(),
  tenant: z.string().nullable(),
  request_id: z.string().nullable(),
  attempts: z.number(),
  image_url: z.string().nullable(),
  failure_code: z.string().nullable(),
  error_message: z.string().nullable(),
  created_at: z.string().nullable(),
  completed_at: z.string().nullable(),
})
export type SessionAnswer = z.infer<typeof SessionAnswer>

export const FactsAnswer = z.object({ items: z.array(Fact) })

export const RefundAnswer = z.object({
  session_id: z.string(),
  state: z.string(),
  payer: z.object({ kind: z.string(), id: z.string(), email: z.string().optional() }).nullable(),
  credits: z.number().nullable(),
  since: z.string(),
  tries: z.number(),
  last_error: z.string().nullable(),
  ledger_record: z.string().nullable(),
  how: z.string().nullable(),
  waiver_reason: z.string().nullable(),
  settled_at: z.string().nullable(),
  settlement: z.object({ by: z.string(), how: z.string(), why: z.string() }).nullable(),
})
export type RefundAnswer = z.infer<typeof RefundAnswer>

export const ReconciliationAnswer = z.object({
  as_of: z.string(),
  balanced: z.boolean(),
  charged: z.number(),
  kept: z.number(),
  given_back: z.number(),
  owed: z.number(),
  open: z.number(),
  drift: z.number(),
  escalated: z.number(),
  oldest_owed_seconds: z.number().nullable(),
  checksum: z.string(),
  classes: z.record(z.string(), z.number()),
})
export type ReconciliationAnswer = z.infer<typeof ReconciliationAnswer>

export const RunAnswer = ReconciliationAnswer.extend({ id: z.string() })

export const ExceptionAnswer = z.object({
  class: z.string(),
  session_id: z.string().nullable(),
  owner_id: z.string().nullable(),
  since: z.string(),
  charged: z.number(),
  given_back: z.number(),
  drift: z.number(),
  detail: z.string(),
})

/** What lies behind one refund. */
export const RefundStoryAnswer = z.object({
  refund: RefundAnswer.nullable(),
  decision: z.object({ kind: z.string(), recorded_at: z.string().nullable() }).nullable(),
  ledger: z.array(
    z.object({
      type: z.string(),
      amount: z.number(),
      account: z.string(),
      description: z.string().nullable(),
      created_at: z.string(),
    }),
  ),
  facts: z.array(Fact),
})

export const ProjectionsAnswer = z.object({
  head: z.number(),
  items: z.array(
    z.object({
      name: z.string(),
      position: z.number(),
      lag_facts: z.number(),
      lag_seconds: z.number(),
      set_aside: z.number(),
      gone: z.number(),
      /** How far its rows are computed aside, while a rebuild runs. */
      rebuild: z.object({ position: z.number(), target: z.number() }).nullable(),
    }),
  ),
})

export type ProjectionsAnswer = z.infer<typeof ProjectionsAnswer>

export const LetterAnswer = z.object({
  id: z.string(),
  partition: z.number(),
  reason: z.string(),
  source: z.string(),
  size_bytes: z.number(),
  attempts: z.number(),
  first_seen_at: z.string(),
  last_seen_at: z.string(),
  state: z.string(),
  replays: z.number(),
  last_action: z.object({ by: z.string(), at: z.string(), reason: z.string().nullable() }).nullable(),
})
export type LetterAnswer = z.infer<typeof LetterAnswer>

/** Of `text` and `bytes_base64` one is null. */
export const OpenedLetterAnswer = LetterAnswer.extend({
  text: z.string().nullable(),
  bytes_base64: z.string().nullable(),
  is_cut: z.boolean(),
})
export type OpenedLetterAnswer = z.infer<typeof OpenedLetterAnswer>

/** One page of a list. */
export const pageOf = <Item>(item: z.ZodType<Item>) => z.object({ items: z.array(item), next: z.string().nullable() })
