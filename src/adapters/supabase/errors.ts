import { z } from 'zod'
import { isRefusal, Refused } from '../shared/database/functions.ts'

interface Row {
  /** For operators: what is wrong, and what to do about it. */
  readonly words: string
  /** The same call may succeed a moment later. */
  readonly passing: boolean
  /** The call may have been carried out all the same. */
  readonly open: boolean
}

const passing = { passing: true, open: false }
const passingAndOpen = { passing: true, open: true }
const lasting = { passing: false, open: false }

/** Every way in which a call fails without an answer of the database to it. */
const failures = {
  unreachable: { words: 'cannot be reached: see to SUPABASE_URL and the network', ...passing },
  interrupted: { words: 'broke the connection off before it answered', ...passingAndOpen },
  timed_out: { words: 'did not answer in time', ...passingAndOpen },
  unavailable: { words: 'has no connection to its database free, or none at all', ...passing },
  failed: { words: 'failed at the call', ...passingAndOpen },
  throttled: { words: 'takes no more calls for the moment', ...passing },
  cancelled: { words: 'cancelled the call: it took longer than the statement timeout of its role', ...lasting },
  too_large: { words: 'does not take a body of this size', ...lasting },
  key_refused: { words: 'refused the key: see to SUPABASE_SERVICE_ROLE_KEY', ...lasting },
  not_allowed: { words: 'lets only the service role do this: see to SUPABASE_SERVICE_ROLE_KEY', ...lasting },
  migrations_missing: {
    words:
      'has no such function: apply the migrations with `supabase db push`, or `npm run wearon -- migrate` with DATABASE_URL',
    ...lasting,
  },
  bucket_missing: {
    words:
      'has no such bucket, or hides it from this key: create virtual-tryon-images there, or see to SUPABASE_SERVICE_ROLE_KEY',
    ...lasting,
  },
  redirected: { words: 'sends elsewhere: SUPABASE_URL must be the address itself, with https://', ...lasting },
  unreadable: { words: 'did not answer as Supabase does: see to SUPABASE_URL', passing: false, open: true },
  unexpected: { words: 'refused the call', ...lasting },
} as const satisfies Record<string, Row>

export type FailureOfCall = keyof typeof failures

/** A call that the database did not answer. Its message holds no key, no URL and nothing of the call's data. */
export class SupabaseError extends Error {
  override readonly name = 'SupabaseError'
  readonly code: FailureOfCall
  /** How long the gateway wants to be left alone, ms. */
  readonly retryAfterMs: number | null

  constructor(code: FailureOfCall, call: string, more: { seen?: string; retryAfterMs?: number | null } = {}) {
    super(`${call}: Supabase ${failures[code].words}${more.seen ? ` (${more.seen})` : ''}`)
    this.code = code
    this.retryAfterMs = more.retryAfterMs ?? null
  }
}

/** What a repeat of a failed call can be told: `no` use, it is `safe` because nothing happened, or the outcome is `open`. */
export const repeatAfter = (error: unknown): 'no' | 'safe' | 'open' => {
  if (error instanceof Refused) return ROLLED_BACK_IN_PASSING.includes(error.code.slice(0, 2)) ? 'safe' : 'no'
  if (!(error instanceof SupabaseError) || !failures[error.code].passing) return 'no'
  return failures[error.code].open ? 'open' : 'safe'
}

/** Classes of SQLSTATE: serialization or deadlock, out of a resource, lock not available. */
const ROLLED_BACK_IN_PASSING = ['40', '53', '55']

/** An answer that is no success, as the gateway or PostgREST gave it. */
export class BadAnswer extends Error {
  readonly status: number
  readonly body: string
  readonly retryAfter: string | null

  constructor(status: number, body: string, retryAfter: string | null) {
    super(`HTTP ${status}`)
    this.status = status
    this.body = body
    this.retryAfter = retryAfter
  }
}

/** What a failed call is to its caller: Refused when the database said no, a SupabaseError otherwise. */
export const inOurWords = (call: string, error: unknown): Refused | SupabaseError => {
  if (error instanceof BadAnswer) return ofAnswer(call, error)
  const { name, cause } = error as Error & { cause?: { code?: unknown } }
  if (name === 'TimeoutError' || name === 'AbortError') return new SupabaseError('timed_out', call)
  if (name === 'PostgrestError') return new SupabaseError('unreadable', call)
  const code = typeof cause?.code === 'string' ? cause.code : 'no code'
  return new SupabaseError(BEFORE_THE_CALL.test(code) ? 'unreachable' : 'interrupted', call, { seen: code })
}

/** Codes of Node and undici for what goes wrong before a request leaves: no name, no connection, no trust. */
const BEFORE_THE_CALL =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|.*CERTIFICATE.*|DEPTH_ZERO.*|SELF_SIGNED.*|ERR_TLS_.*)$/

/** PostgREST's error body; the gateway's has a message alone. */
const Body = z.object({ code: z.string().catch(''), message: z.string().catch('') })

const ofAnswer = (call: string, { status, body, retryAfter }: BadAnswer): Refused | SupabaseError => {
  const { code, message } = parse(body)
  if (isNo(code)) return new Refused(code, withoutData(code, message))
  const seen = code === '' ? `HTTP ${status}` : `HTTP ${status}, ${code}`
  return new SupabaseError(failureOf(status, code), call, { seen, retryAfterMs: retryAfterMs(retryAfter) })
}

const parse = (body: string): z.infer<typeof Body> => {
  try {
    return Body.parse(JSON.parse(body))
  } catch {
    return { code: '', message: '' }
  }
}

/** SQLSTATE insufficient_privilege, query_canceled. */
const NOT_ALLOWED = '42501'
const CANCELLED = '57014'

/** The key's fault is no answer to the call, though the database gives it. */
const isNo = (code: string): boolean => isRefusal(code) && code !== NOT_ALLOWED

/** PostgREST's own codes (docs.postgrest.org, errors), then what the gateway's status alone says. */
const failureOf = (status: number, code: string): FailureOfCall => {
  if (code === NOT_ALLOWED) return 'not_allowed'
  if (code === CANCELLED) return 'cancelled'
  if (code === 'PGRST202' || code === 'PGRST106') return 'migrations_missing'
  if (code.startsWith('PGRST30')) return 'key_refused'
  if (['PGRST000', 'PGRST002', 'PGRST003'].includes(code)) return 'unavailable'
  return failureOfStatus(status)
}

/** What a status alone says. */
export const failureOfStatus = (status: number): FailureOfCall => {
  if (status >= 500) return 'failed'
  return byStatus[status] ?? (status < 400 ? 'redirected' : 'unexpected')
}

const byStatus: Readonly<Record<number, FailureOfCall>> = {
  401: 'key_refused',
  403: 'not_allowed',
  // Only a path that is not PostgREST's: it names what it misses.
  404: 'unreadable',
  408: 'timed_out',
  413: 'too_large',
  429: 'throttled',
}

/** The header in seconds; a date is not understood and counts as none. */
export const retryAfterMs = (header: string | null): number | null => {
  if (header === null) return null
  const seconds = Number(header)
  return Number.isFinite(seconds) ? seconds * 1_000 : null
}

/** A value that could not be read stands in the message of SQLSTATE class 22. */
const withoutData = (code: string, message: string): string =>
  code.startsWith('22') ? 'a value that the database does not take' : message
