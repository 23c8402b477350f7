import type { z } from 'zod'
import { issueLines } from '../events/task.ts'

interface Row {
  readonly status: number
  /** What went wrong, for a person. Nothing else about an error reaches a client, but for the faults of its own request. */
  readonly detail: string
  /** After how many seconds a repeat may help. */
  readonly retryAfterS?: number
}

/** Every error that HTTP answers with: one row per code. */
export const problems = {
  invalid_request: { status: 400, detail: 'The request has faults; errors lists each of them.' },
  malformed_request: { status: 400, detail: 'The request cannot be read.' },
  invalid_json: { status: 400, detail: 'The body is not JSON in UTF-8.' },
  input_rejected: {
    status: 400,
    detail: 'The picture cannot be used: a public address must lead straight to a JPEG, PNG, WebP, AVIF or GIF.',
  },
  input_unavailable: { status: 400, detail: 'The picture cannot be fetched from its address; try again later.' },
  unknown_position: { status: 400, detail: 'The event to go on from lies ahead of the last one; read from the start.' },
  key_missing: {
    status: 401,
    detail:
      'This needs an API key, sent as "Authorization: Bearer <key>". On the server\'s machine an operator makes one with: ' +
      'npm run wearon -- keys create --name <name> --scope <scope>.',
  },
  key_refused: {
    status: 401,
    detail: 'The API key is not known, was revoked or has expired; ask an operator for another.',
  },
  scope_missing: { status: 403, detail: 'The API key is not for this; errors names the scope that it lacks.' },
  key_restricted: { status: 403, detail: 'The API key is of one store or user, and this is about the whole service.' },
  host_refused: { status: 403, detail: 'Without an API key, ask this machine as localhost, 127.0.0.1 or [::1].' },
  signature_refused: { status: 403, detail: 'The link is not valid, or not valid any more; ask for a new one.' },
  cross_site: { status: 403, detail: 'Pages of other sites may not change anything here.' },
  route_unknown: { status: 404, detail: 'There is nothing at this path.' },
  session_unknown: { status: 404, detail: 'No session with this id was accepted here.' },
  account_unknown: { status: 404, detail: 'There is no store or user of this id that the API key may see.' },
  key_unknown: { status: 404, detail: 'There is no API key of this id.' },
  projection_unknown: { status: 404, detail: 'There is no projection of this name.' },
  reader_unknown: { status: 404, detail: 'No reader of the journals registered under this name.' },
  letter_unknown: { status: 404, detail: 'There is no dead letter with this id, or it made room for younger ones.' },
  partition_unknown: { status: 404, detail: 'There is no partition of this number.' },
  object_gone: { status: 404, detail: 'The file is not here any more.' },
  method_not_allowed: { status: 405, detail: 'This path does not take this method; Allow lists those that it takes.' },
  session_of_another: { status: 409, detail: 'The session was accepted from another tenant.' },
  no_orphan: { status: 409, detail: 'This session is no row that waits without a task.' },
  list_not_paused: {
    status: 409,
    detail:
      'Tasks that are handed back would be taken again at once: pause the list first (wearon pause --list), and wait some seconds.',
    retryAfterS: 5,
  },
  no_producers_list: {
    status: 409,
    detail: 'There is no list to hand tasks back to: this process has no REDIS_URL.',
  },
  session_ended: { status: 409, detail: 'The session has ended; nothing is left to cancel.' },
  session_exists: { status: 409, detail: 'There is a session of this id already; it was charged for then.' },
  refund_decided: { status: 409, detail: 'Nothing is owed for this session: see what was decided.' },
  rebuild_running: { status: 409, detail: 'A rebuild of this projection is running already.' },
  repair_not_possible: { status: 409, detail: 'The partition is not damaged, or not held by this process.' },
  letter_discarded: { status: 409, detail: 'The letter was discarded; "force" replays it all the same.' },
  letter_replayed: {
    status: 409,
    detail: 'The letter was replayed and has not died since; nothing is left to discard.',
  },
  letter_worn_out: {
    status: 409,
    detail: 'The letter died after each of several replays: mend what it dies of, then replay it with "force".',
  },
  body_too_large: { status: 413, detail: 'The body is larger than this path takes.' },
  media_type_unsupported: { status: 415, detail: 'Send the body as application/json, not compressed.' },
  key_reused: { status: 422, detail: 'The Idempotency-Key was used with another body before.' },
  no_picture: { status: 422, detail: 'The body is no picture that can be read: send JPEG, PNG, WebP, AVIF or GIF.' },
  no_usable_pose: { status: 422, detail: 'The photo shows no body that can be measured; reasons says what to do.' },
  rate_limited: {
    status: 429,
    detail: 'Too many requests in a short time; Retry-After says when to go on.',
    retryAfterS: 1,
  },
  backlog_full: {
    status: 429,
    detail: 'The tenant has too many sessions that have not ended; publish again when some have.',
    retryAfterS: 10,
  },
  internal: { status: 500, detail: 'Something went wrong on our side; quote request_id when you report it.' },
  not_in_this_process: { status: 501, detail: 'This process does not run the part that could do this.' },
  unavailable: { status: 503, detail: 'A service that this needs does not answer; try again.', retryAfterS: 5 },
  overloaded: { status: 503, detail: 'Too many requests are being worked on; try again.', retryAfterS: 1 },
  streams_exhausted: { status: 503, detail: 'Too many event streams are open; try again.', retryAfterS: 10 },
  saturated: { status: 503, detail: 'Too many photos are being looked at; try again.', retryAfterS: 1 },
  model_not_ready: { status: 503, detail: 'The model that sees bodies is not loaded; try again.', retryAfterS: 2 },
  model_off: { status: 503, detail: 'Photos are not looked at here: POSE is off.', retryAfterS: 60 },
  engine_crashed: { status: 503, detail: 'Looking at the photo broke off; try again.', retryAfterS: 1 },
  deadline: { status: 503, detail: 'Looking at the photo took too long; try again.', retryAfterS: 1 },
  too_slow: { status: 503, detail: 'The answer took too long; try again.', retryAfterS: 5 },
} as const satisfies Record<string, Row>

export type ProblemCode = keyof typeof problems

/** One fault of a request: in words, and where, as a JSON pointer for bodies. */
export interface Fault {
  readonly detail: string
  readonly pointer?: string
}

interface ProblemMore {
  readonly cause?: unknown
  readonly faults?: readonly Fault[]
  readonly headers?: Readonly<Record<string, string>>
  /** What this kind of problem has to say besides. */
  readonly members?: object
}

/** Thrown by a route to answer with a row of the table. `cause` is for the log alone. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly faults: readonly Fault[]
  readonly headers: Readonly<Record<string, string>>
  readonly members: object

  constructor(code: ProblemCode, more: ProblemMore = {}) {
    super(code, { cause: more.cause })
    this.code = code
    this.faults = more.faults ?? []
    this.headers = more.headers ?? {}
    this.members = more.members ?? {}
  }
}

/** A problem as RFC 9457 wants it; `detail` is always there, clients of the old worker read it. */
export const problemBody = ({ code, faults, members }: Problem, requestId: string): object => ({
  type: `urn:wearon:problem:${code}`,
  title: code.replaceAll('_', ' '),
  status: problems[code].status,
  detail: problems[code].detail,
  code,
  request_id: requestId,
  ...(faults.length > 0 ? { errors: faults } : {}),
  ...members,
})

/** The headers of a problem's answer. */
export const problemHeaders = ({ code, headers }: Problem): Record<string, string> => {
  const row: Row = problems[code]
  const retry = row.retryAfterS === undefined ? {} : { 'Retry-After': String(row.retryAfterS) }
  return { 'Content-Type': 'application/problem+json', ...retry, ...headers }
}

/** The faults of a JSON body, each with where it is. */
export const bodyFaults = (error: z.ZodError): Fault[] =>
  issueLines(error).map((detail, index) => ({ detail, pointer: pointerTo(error.issues[index]?.path ?? []) }))

/** The faults of a path, of query parameters or of a header. */
export const parameterFaults = (error: z.ZodError): Fault[] =>
  error.issues.map(({ path, message }) => ({ detail: path.length > 0 ? `${path.join('.')}: ${message}` : message }))

/** RFC 6901, as a URI fragment. */
const pointerTo = (path: readonly PropertyKey[]): string =>
  `#${path.map((key) => `/${encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`

/** Awaits a part that may be down. @throws Problem `unavailable`, with the part's own error as its cause. */
export const reach = async <Value>(answer: Promise<Value>): Promise<Value> => {
  try {
    return await answer
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('unavailable', { cause: error })
  }
}
