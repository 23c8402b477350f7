import type { Command } from '../events/command.ts'
import type { NewFact } from '../events/fact.ts'
import type { GenerationOutcome } from './effects/outcome.ts'
import type { Policy } from './policy.ts'
import type { RefundOutcome } from './ports/platform.ts'
import type { Snapshot } from './snapshot.ts'

/** What can happen to a session: a command from outside, an effect's outcome, a free slot for its next try, a timer. */
export type Input =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'slot' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'generated'; readonly attempt: number; readonly outcome: GenerationOutcome }
  | { readonly kind: 'refunded'; readonly outcome: RefundOutcome }

/** What an input comes to: facts to offer to the machine in order (none: nothing happened), or why it is dropped. */
export type Decision =
  | { readonly facts: readonly NewFact[] }
  | { readonly ignored: 'too_late' | 'fenced_refund' }
  /** It makes no sense, or comes from someone who has no say: an operator should see it. */
  | { readonly refused: string }

export interface Circumstances {
  readonly nowMs: number
  readonly policy: Policy
  /** Uniform in [0, 1), for jitter. */
  readonly random: number
}

/** What every bad end brings with it, in the same step. */
export const refundRequested: NewFact = { type: 'refund.requested', data: {} }

/** Whether an image may still come of it. */
export const isGenerating = (session: Snapshot): boolean => session.state === 'queued' || session.state === 'processing'
