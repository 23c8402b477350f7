import { assertNever } from '../events/assert-never.ts'
import { type FailureCode, failures, type RetryClass } from '../events/codes.ts'
import type { NewFact } from '../events/fact.ts'
import { isoTime } from '../events/text.ts'
import { decideCommand } from './decide-command.ts'
import { type Circumstances, type Decision, type Input, isGenerating, refundRequested } from './decision.ts'
import type { GenerationOutcome } from './effects/outcome.ts'
import { backoffMs } from './policy.ts'
import type { NoImage } from './ports/generator.ts'
import type { RefundOutcome } from './ports/platform.ts'
import type { Snapshot } from './snapshot.ts'

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

/** A generation's bad end, with the refund that is owed from the same step on. */
const failure = (session: Snapshot, code: FailureCode, detail: string): NewFact[] => [
  {
    type: 'generation.failed',
    data: { attempt: session.context.attempt, code, message: failures[code].message, detail },
  },
  refundRequested,
]

const isExpired = (session: Snapshot, circumstances: Circumstances): boolean =>
  session.state === 'queued' && isTooOld(session, circumstances)

const isTooOld = ({ context: { requestedAt } }: Snapshot, { nowMs, policy }: Circumstances): boolean =>
  requestedAt !== null && nowMs - Date.parse(requestedAt) >= policy.queueAgeMaxMs
