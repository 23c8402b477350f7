import { assertNever } from '../events/assert-never.ts'
import { type FailureCode, failures, type RetryClass } from '../events/codes.ts'
import type { Ask, Command } from '../events/command.ts'
import type { NewFact } from '../events/fact.ts'
import type { Sender } from '../events/generation.ts'
import { tenantOf } from '../events/owner.ts'
import type { Settlement } from '../events/refund.ts'
import { isoTime } from '../events/text.ts'
import type { GenerationOutcome } from './effects/outcome.ts'
import { backoffMs, type Policy } from './policy.ts'
import type { NoImage } from './ports/generator.ts'
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

/** Which facts an input brings about. Pure: time and chance come in. The machine has the last word on each fact. */
export const decide = (session: Snapshot, input: Input, circumstances: Circumstances): Decision => {
  switch (input.kind) {
    case 'command':
      return decideCommand(session, input.command, circumstances)
    case 'slot':
      return decideStart(session, circumstances)
    case 'timer':
      return { facts: isExpired(session, circumstances) ? failure(session, 'expired', '') : [] }
    case 'generated':
      return decideGenerated(session, input.attempt, input.outcome, circumstances)
    case 'refunded':
      return decideRefunded(session, input.outcome, circumstances)
    default:
      return assertNever(input)
  }
}

type AskOf<Name extends Ask['command']> = Extract<Ask, { command: Name }>

const decideCommand = (session: Snapshot, command: Command, { nowMs }: Circumstances): Decision => {
  switch (command.command) {
    case 'generation.request': {
      // Of a session that is known already the machine does not accept it: a duplicate.
      return { facts: [requested(command)] }
    }
    case 'generation.reject':
      if (session.state !== 'new') return { refused: `bad task for a known session: ${command.issues.join('; ')}` }
      return { facts: [{ type: 'generation.rejected', data: { issues: command.issues } }, refundRequested] }
    case 'generation.cancel':
      if (session.state === 'new') return { refused: 'cancels a session that is not known' }
      if (!maySteer(session, command.by)) return { refused: 'comes from someone who has no say over the session' }
      if (!isGenerating(session)) return { ignored: 'too_late' }
      return { facts: [{ type: 'generation.cancelled', data: { by: command.by } }, refundRequested] }
    case 'generation.import':
    case 'generation.give_up':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over rows' }
      if (session.state !== 'new') return { ignored: 'too_late' }
      return { facts: command.command === 'generation.import' ? imported(command) : givenUp(command) }
    case 'generation.hand_back':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over the producers’ list' }
      if (session.state === 'new') return { refused: 'names a session that is not known' }
      return { facts: [{ type: 'generation.released', data: { by: command.by } }] }
    case 'generation.note_hand_back':
      return decideHandedBack(session, command)
    case 'refund.approve':
      return decideApproval(session, command)
    case 'refund.retry':
    case 'refund.settle':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over refunds' }
      if (session.state === 'new') return { refused: 'names a session that is not known' }
      if (!isOwed(session)) return { ignored: 'too_late' }
      return { facts: [command.command === 'refund.retry' ? retryAtOnce(session, nowMs) : settlement(command)] }
    default:
      return assertNever(command)
  }
}

const requested = ({ task, source, original }: Extract<Command, { command: 'generation.request' }>): NewFact => {
  const { owner, imageUrls, prompt, taskId, createdAt } = task
  const kept = { ...(createdAt !== null && { createdAt }), ...(original !== undefined && { original }) }
  return { type: 'generation.requested', data: { owner, imageUrls, prompt, taskId, source, ...kept } }
}

/** The note of another release of the session says nothing of this one. */
const decideHandedBack = (
  { state, seq }: Snapshot,
  { release, withdrawn }: AskOf<'generation.note_hand_back'>,
): Decision => {
  if (state !== 'released' || seq !== release) return { ignored: 'too_late' }
  if (withdrawn === null) return { facts: [{ type: 'generation.handed_back', data: {} }] }
  return { facts: [{ type: 'generation.withdrawn', data: withdrawn }, refundRequested] }
}

const imported = ({ end, owner, evidence, requestedAt }: AskOf<'generation.import'>): NewFact[] => [
  { type: 'generation.imported', data: { end, owner, evidence, requestedAt } },
]

/** The row is all that there is of the session: its credit goes back like that of a task that cannot be read. */
const givenUp = ({ owner }: AskOf<'generation.give_up'>): NewFact[] => [
  { type: 'generation.rejected', data: { code: 'task_lost', owner, issues: ['no task came for the session row'] } },
  refundRequested,
]

const decideApproval = (session: Snapshot, { by, why, bulk }: AskOf<'refund.approve'>): Decision => {
  if (by.role !== 'operator') return { refused: 'comes from someone who has no say over refunds' }
  if (session.state === 'new') return { refused: 'names a session that is not known' }
  if (session.state !== 'failed.imported') return { ignored: 'too_late' }
  // A user's refunds of that time name no session: each has to be looked at by a person.
  if (bulk && session.context.owner?.channel !== 'b2b') return { refused: 'approves sessions of users in bulk' }
  return { facts: [{ type: 'refund.approved', data: { by, why } }] }
}

const retryAtOnce = ({ state, context }: Snapshot, nowMs: number): NewFact => {
  const data = { tries: Math.max(1, context.refundTries), error: 'tried again on request', retryAt: isoTime(nowMs) }
  return { type: state === 'failed.escalated' ? 'refund.escalated' : 'refund.retrying', data }
}

/** Only asked for: what the ledger's record says afterwards becomes the fact that settles. */
const settlement = ({ by, how, why }: Settlement): NewFact => ({
  type: 'refund.settlement_requested',
  data: { by, how, why },
})

const isOwed = ({ state }: Snapshot): boolean => state === 'failed.owed' || state === 'failed.escalated'

const decideStart = (session: Snapshot, circumstances: Circumstances): Decision => {
  const { nowMs, policy } = circumstances
  if (!isGenerating(session)) return { ignored: 'too_late' }
  if (session.context.orphans >= policy.crashesMax) {
    return { facts: failure(session, 'crashed', `${session.context.orphans} tries began and never ended`) }
  }
  if (isExpired(session, circumstances)) return { facts: failure(session, 'expired', '') }
  const attempt = session.context.attempt + 1
  return { facts: [{ type: 'generation.started', data: { attempt, deadline: isoTime(nowMs + policy.tryTimeoutMs) } }] }
}

const decideGenerated = (
  session: Snapshot,
  attempt: number,
  outcome: GenerationOutcome,
  circumstances: Circumstances,
): Decision => {
  switch (outcome.kind) {
    case 'completed':
      return { facts: [{ type: 'generation.completed', data: { attempt, result: outcome.result } }] }
    case 'withdrawn':
      return {
        facts: [{ type: 'generation.withdrawn', data: { why: outcome.why, detail: outcome.detail } }, refundRequested],
      }
    case 'failed':
      return { facts: retryOrFail(session, attempt, outcome, circumstances) }
    default:
      return assertNever(outcome)
  }
}

const retryOrFail = (session: Snapshot, attempt: number, noImage: NoImage, circumstances: Circumstances): NewFact[] => {
  const { nowMs, policy, random } = circumstances
  const { code, detail, retryAfterMs = 0 } = noImage
  const { retry } = failures[code]
  if (retry === 'never' || isSpent(session, retry, circumstances)) {
    return failure({ ...session, context: { ...session.context, attempt } }, code, detail)
  }
  const ownWaitMs =
    retry === 'rate_limited' && retryAfterMs === 0
      ? policy.rateLimitWaitMs
      : backoffMs(policy.backoff, retriesBefore(session, retry), random)
  // A longer wait changes nothing, the session expires before it; and no date may lie beyond what can be written.
  const askedMs = Math.min(retryAfterMs, policy.queueAgeMaxMs)
  const retryAt = isoTime(nowMs + Math.max(ownWaitMs, askedMs))
  return [{ type: 'generation.deferred', data: { attempt, code, detail, retryAt } }]
}

type Retried = Exclude<RetryClass, 'never'>

/** Those of an outage are not counted: whatever was tried before makes the wait longer. */
const retriesBefore = ({ context }: Snapshot, retry: Retried): number =>
  retry === 'outage' ? context.attempt - 1 : context.retries[retry]

const isSpent = (session: Snapshot, retry: Retried, circumstances: Circumstances): boolean =>
  retry === 'outage'
    ? isTooOld(session, circumstances)
    : session.context.retries[retry] >= circumstances.policy.retries[retry]

const decideRefunded = (session: Snapshot, outcome: RefundOutcome, circumstances: Circumstances): Decision => {
  switch (outcome.kind) {
    case 'issued':
      return { facts: [{ type: 'refund.issued', data: outcome.data }] }
    case 'waived':
      return { facts: [{ type: 'refund.waived', data: outcome.data }] }
    case 'settled':
      return { facts: [{ type: 'refund.settled', data: outcome.data }] }
    case 'refused':
      return { ignored: 'fenced_refund' }
    case 'error':
      return { facts: [retryRefund(session, outcome.detail, circumstances)] }
    default:
      return assertNever(outcome)
  }
}

const retryRefund = (session: Snapshot, error: string, { nowMs, policy, random }: Circumstances): NewFact => {
  const { escalateAfterMs, escalatedEveryMs, backoff } = policy.refund
  const tries = session.context.refundTries + 1
  const owedMs = nowMs - Date.parse(session.context.failedAt ?? isoTime(nowMs))
  if (owedMs >= escalateAfterMs) {
    return { type: 'refund.escalated', data: { tries, error, retryAt: isoTime(nowMs + escalatedEveryMs) } }
  }
  const retryAt = isoTime(nowMs + backoffMs(backoff, session.context.refundTries, random))
  return { type: 'refund.retrying', data: { tries, error, retryAt } }
}

const refundRequested: NewFact = { type: 'refund.requested', data: {} }

/** A generation's bad end, with the refund that is owed from the same step on. */
const failure = (session: Snapshot, code: FailureCode, detail: string): NewFact[] => [
  {
    type: 'generation.failed',
    data: { attempt: session.context.attempt, code, message: failures[code].message, detail },
  },
  refundRequested,
]

const isGenerating = (session: Snapshot): boolean => session.state === 'queued' || session.state === 'processing'

const isExpired = (session: Snapshot, circumstances: Circumstances): boolean =>
  session.state === 'queued' && isTooOld(session, circumstances)

const isTooOld = ({ context: { requestedAt } }: Snapshot, { nowMs, policy }: Circumstances): boolean =>
  requestedAt !== null && nowMs - Date.parse(requestedAt) >= policy.queueAgeMaxMs

const maySteer = (session: Snapshot, by: Sender): boolean =>
  by.role !== 'tenant' || (session.context.owner !== null && by.tenant === tenantOf(session.context.owner))
