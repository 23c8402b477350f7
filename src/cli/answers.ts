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
  classes: z.record(z.string(), z.number()),
})
export type ReconciliationAnswer = z.infer<typeof ReconciliationAnswer>

export const ProjectionsAnswer = z.object({
  head: z.number(),
  items: z.array(
    z.object({
      name: z.string(),
      position: z.number(),
      lag_facts: z.number(),
      set_aside: z.number(),
      gone: z.number(),
    }),
  ),
})

export const LettersAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      partition: z.number(),
      reason: z.string(),
      source: z.string(),
      at: z.string(),
      bytes_base64: z.string(),
    }),
  ),
})
export type Letter = z.infer<typeof LettersAnswer>['items'][number]

/** One page of a list. */
export const pageOf = <Item>(item: z.ZodType<Item>) => z.object({ items: z.array(item), next: z.string().nullable() })
