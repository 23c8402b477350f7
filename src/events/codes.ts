import { z } from 'zod'

/**
 * How often a failure is tried again: `transient` up to OPENAI_MAX_RETRIES, `rate_limited` and `unknown` once by default, an
 * `outage` of a part of ours, or of the provider's account, which costs nothing, until the session is too old.
 */
export type RetryClass = 'never' | CountedRetry | 'outage'
export type CountedRetry = 'transient' | 'rate_limited' | 'unknown'

interface Failure {
  readonly retry: RetryClass
  /** What the person reads. Nothing else about a failure reaches a person. */
  readonly message: string
  /** Operators are alerted at once, not only by a rate. */
  readonly alert?: true
}

const tryLater = 'Something went wrong on our side. You will not be charged for it; please try again in a moment.'
const otherImages =
  'These images could not be used. You will not be charged for it; please try again with other images.'

/** Every way a generation ends badly: one row per code. */
export const failures = {
  moderation_blocked: {
    retry: 'never',
    message:
      'These images or this request were refused by our safety checks. Please use other images. You will not be charged for it.',
  },
  input_rejected: { retry: 'never', message: otherImages },
  input_unavailable: {
    retry: 'transient',
    message: 'We could not load your images. You will not be charged for it; please upload them again.',
  },
  rate_limited: {
    retry: 'rate_limited',
    message: 'We are very busy right now. You will not be charged for it; please try again in a few minutes.',
  },
  quota_exhausted: { retry: 'never', message: tryLater, alert: true },
  provider_rejected: { retry: 'never', message: tryLater },
  provider_malformed: { retry: 'never', message: tryLater },
  provider_unavailable: { retry: 'transient', message: tryLater },
  /** The provider refuses the whole account for now, and was not asked. */
  provider_paused: { retry: 'outage', message: tryLater },
  outcome_unknown: { retry: 'unknown', message: tryLater },
  /** Storage did not answer: before the provider is asked, or with a paid image that is kept meanwhile. */
  storage_failed: { retry: 'outage', message: tryLater },
  /** The platform's row could not be asked. */
  platform_unavailable: { retry: 'outage', message: tryLater },
  internal: { retry: 'transient', message: tryLater, alert: true },
  crashed: { retry: 'never', message: otherImages, alert: true },
  expired: {
    retry: 'never',
    message: 'This took longer than it should. You will not be charged for it; please try again.',
  },
  invalid_task: { retry: 'never', message: tryLater },
  /** Its row waited, and no task came for it. */
  task_lost: { retry: 'never', message: tryLater },
  cancelled: { retry: 'never', message: 'This try-on was cancelled. You will not be charged for it.' },
  withdrawn: { retry: 'never', message: 'This try-on was stopped.' },
} as const satisfies Record<string, Failure>

export type FailureCode = keyof typeof failures
export const FailureCode = z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]])
