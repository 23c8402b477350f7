import type { FailureCode } from '../../events/codes.ts'

/** What became of a request that brought no image. */
export type Trouble =
  /** No connection, no name, no TLS: the provider never had it. */
  | { readonly kind: 'not_sent'; readonly cause: string }
  /** It was sent, and no whole answer came: it may have been paid. */
  | { readonly kind: 'no_answer'; readonly cause: string }
  | ({ readonly kind: 'refused' } & Refusal)
  /** An answer that promised an image, without one that can be used: it was paid. */
  | { readonly kind: 'malformed'; readonly cause: string }

/** An answer with any status but success. `code` and `type` as in the provider's error body. */
export interface Refusal {
  readonly status: number
  readonly code: string | null
  readonly type: string | null
}

export interface Verdict {
  readonly code: FailureCode
  /** True when every other request would meet the same: the key, the budget, the model. */
  readonly account: boolean
}

/** Out of money, or over a limit that was set: waiting a minute does not help. */
const QUOTA = [
  'insufficient_quota',
  'credit_balance_exhausted',
  'billing_hard_limit_reached',
  'billing_not_active',
  'organization_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'project_spend_limit_exceeded',
]
/** The key or the configured model: an operator must act. */
const SETUP = ['invalid_api_key', 'account_deactivated', 'model_not_found']
const MODERATION = [
  'moderation_blocked',
  'content_policy_violation',
  'image_content_policy_violation',
  'content_safety_violation',
  'content_filter',
]
const PICTURES = [
  'invalid_image',
  'invalid_image_file',
  'invalid_image_format',
  'invalid_image_mode',
  'image_parse_error',
  'image_too_large',
  'image_too_small',
  'image_file_too_large',
  'empty_image_file',
  'unsupported_image_media_type',
]

interface Row {
  /** Inclusive. */
  readonly status: readonly [from: number, to: number]
  /** One of these as the error's code or type; any when absent. */
  readonly named?: readonly string[]
  readonly means: FailureCode
  readonly account?: true
}

/**
 * The answers, the first row that fits counts (CONTRACT section 5). A 403 is not taken for the whole account: a filter in between may
 * mean one person's pictures by it.
 */
const rows: readonly Row[] = [
  { status: [400, 499], named: QUOTA, means: 'quota_exhausted', account: true },
  { status: [402, 402], means: 'quota_exhausted', account: true },
  { status: [401, 401], means: 'provider_rejected', account: true },
  { status: [400, 499], named: SETUP, means: 'provider_rejected', account: true },
  { status: [400, 499], named: MODERATION, means: 'moderation_blocked' },
  { status: [400, 499], named: PICTURES, means: 'input_rejected' },
  { status: [429, 429], means: 'rate_limited' },
  // Request timeout and conflict: the provider asks for another try.
  { status: [408, 409], means: 'provider_unavailable' },
  { status: [400, 499], means: 'provider_rejected' },
  { status: [500, 599], means: 'provider_unavailable' },
  // Redirects are not followed: they would send the person's pictures, and a paid request, somewhere else.
  { status: [0, 999], means: 'provider_malformed' },
]

/** What a request without an image means for its session. */
export const classify = (trouble: Trouble): Verdict => {
  if (trouble.kind === 'not_sent') return { code: 'provider_unavailable', account: false }
  if (trouble.kind === 'no_answer') return { code: 'outcome_unknown', account: false }
  if (trouble.kind === 'malformed') return { code: 'provider_malformed', account: false }
  const row = rows.find((one) => fits(one, trouble))
  return { code: row?.means ?? 'provider_malformed', account: row?.account ?? false }
}

const fits = ({ status: [from, to], named }: Row, { status, code, type }: Refusal): boolean =>
  status >= from && status <= to && (named === undefined || named.includes(code ?? '') || named.includes(type ?? ''))
