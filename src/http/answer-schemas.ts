import { z } from 'zod'
import { Fact } from '../events/fact.ts'
import { LETTER_STATES } from '../machines/ports/dead-letters.ts'

/** What routes answer, as `/openapi.json` shows it. Tests hold every answer against them. */

export const Id = z.guid()
export const Time = z.iso.datetime()
export const Credits = z.int()
export const Count = z.int().nonnegative()
export const Channel = z.enum(['b2c', 'b2b'])

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
