import { z } from 'zod'
import { BadAnswer, type FailureOfCall, failureOfStatus, inOurWords, retryAfterMs, SupabaseError } from './errors.ts'

/** What a call about an object can be told that is no failure of the call. */
export type Objection = 'no_object' | 'taken'

/**
 * The service's error body. Nearly every error comes under HTTP 400: the real status is `statusCode`. `code` is its name
 * (supabase.com/docs/guides/storage/debugging/error-codes); older services send `error` alone.
 */
const Body = z.object({ statusCode: z.string(), code: z.string().catch(''), error: z.string().catch('') })
type Body = z.infer<typeof Body>

/** What a failed call is to its caller. Names no path and no URL. */
export const objectionOrError = (call: string, error: unknown): Objection | SupabaseError => {
  if (error instanceof BadAnswer) return ofAnswer(call, error)
  // The client could make nothing of an answer: only what fetch throws has a cause or is a DOMException.
  if (isOfClient(error)) return new SupabaseError('unreadable', call)
  const known = inOurWords(call, error)
  return known instanceof SupabaseError ? known : new SupabaseError('unexpected', call, { seen: known.code })
}

const isOfClient = (error: unknown): boolean =>
  error instanceof SyntaxError || (error instanceof TypeError && error.cause === undefined)

const ofAnswer = (call: string, { status, body, retryAfter }: BadAnswer): Objection | SupabaseError => {
  const said = parse(body)
  if (said === null) return failed(failureOfStatus(status), call, `HTTP ${status}`, retryAfter)
  const name = said.code || said.error
  const seen = /^[A-Za-z_]{1,40}$/.test(name) ? `${said.statusCode}, ${name}` : said.statusCode
  return objections[name] ?? failed(failureOf(said, name), call, seen, retryAfter)
}

const parse = (body: string): Body | null => {
  try {
    return Body.safeParse(JSON.parse(body)).data ?? null
  } catch {
    return null
  }
}

const objections: Readonly<Record<string, Objection>> = {
  NoSuchKey: 'no_object',
  not_found: 'no_object',
  ResourceAlreadyExists: 'taken',
  KeyAlreadyExists: 'taken',
  Duplicate: 'taken',
}

/** By the name where the status alone would say something else. */
const failureOf = ({ statusCode }: Body, name: string): FailureOfCall => {
  if (name === 'NoSuchBucket' || name === 'Bucket not found') return 'bucket_missing'
  if (name === 'InvalidJWT') return 'key_refused'
  if (name === 'ResourceLocked') return 'failed'
  return /^[1-5]\d\d$/.test(statusCode) ? failureOfStatus(Number(statusCode)) : 'unexpected'
}

const failed = (code: FailureOfCall, call: string, seen: string, retryAfter: string | null): SupabaseError =>
  new SupabaseError(code, call, { seen, retryAfterMs: retryAfterMs(retryAfter) })
