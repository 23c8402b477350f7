import OpenAI, { APIError } from 'openai'
import type { Clock } from '../../machines/ports/environment.ts'
import type { Trouble } from './classify.ts'
import { AnswerTooLarge, type Line, type Progress } from './line.ts'
import { retryAfterMs } from './retry-after.ts'

/** What is sent besides pictures and words. */
export interface ImageOptions {
  readonly model: string
  readonly size: string
  readonly quality: string
}

export interface Asked {
  readonly pictures: readonly Uint8Array[]
  readonly prompt: string
}

/** One request's end: the body of a successful answer, as it came, or what went wrong. */
export type Reply = { readonly requestId: string | null } & (
  | { readonly body: unknown }
  | { readonly trouble: Trouble; readonly retryAfterMs: number | null }
)

export interface AskOptions {
  readonly apiKey: string
  /** With the API's version at its end. */
  readonly baseUrl: string
  readonly image: ImageOptions
  readonly timeoutMs: number
  readonly clock: Clock
  readonly openLine: () => Line
}

/**
 * One `POST /v1/images/edits` (CONTRACT section 5): never repeated by the client, never redirected, ended by our own time limit.
 * @throws the signal's reason once it aborts; the connection is torn down.
 */
export const ask = async (options: AskOptions, { pictures, prompt }: Asked, signal: AbortSignal): Promise<Reply> => {
  const { image, timeoutMs, clock } = options
  const line = options.openLine()
  const done = new AbortController()
  const late = new AbortController()
  void clock.sleep(timeoutMs, done.signal).then(() => late.abort())
  try {
    const client = clientOn(line, options)
    const body: unknown = await client.images.edit(
      { model: image.model, image: pictures.map(fileOf), prompt, size: image.size, quality: qualityOf(image), n: 1 },
      { signal: AbortSignal.any([signal, late.signal]) },
    )
    return { requestId: requestIdOf(line.progress), body }
  } catch (error) {
    signal.throwIfAborted()
    const waitMs = line.progress.head && retryAfterMs(line.progress.head.headers, clock.now())
    const trouble = late.signal.aborted ? troubleOf(line.progress, 'timeout') : troubleBehind(error, line.progress)
    return { requestId: requestIdOf(line.progress), trouble, retryAfterMs: waitMs }
  } finally {
    done.abort()
  }
}

/** Everything that the client would otherwise take from the environment, or do by itself, is said here. */
const clientOn = ({ fetch }: Line, { apiKey, baseUrl, timeoutMs }: AskOptions): OpenAI =>
  new OpenAI({
    apiKey,
    baseURL: baseUrl,
    organization: null,
    project: null,
    maxRetries: 0,
    // Only in case ours should fail.
    timeout: 2 * timeoutMs,
    logLevel: 'off',
    fetch,
  })

const fileOf = (bytes: Uint8Array, index: number): File =>
  new File([new Uint8Array(bytes)], index === 0 ? 'model.jpg' : `image_${index}.jpg`, { type: 'image/jpeg' })

/** The client lists the qualities that it knows; which of them a model takes was checked at the start. */
const qualityOf = ({ quality }: ImageOptions) => quality as NonNullable<OpenAI.ImageEditParams['quality']>

/** What the client threw. Its message is the provider's, so it is read nowhere. */
const troubleBehind = (error: unknown, progress: Progress): Trouble => {
  if (error instanceof APIError && typeof error.status === 'number')
    return { kind: 'refused', status: error.status, code: nameOf(error.code), type: nameOf(error.type) }
  if (error instanceof SyntaxError) return { kind: 'malformed', cause: 'no JSON' }
  if (causesOf(error).some((cause) => cause instanceof AnswerTooLarge)) return { kind: 'malformed', cause: 'too large' }
  return troubleOf(progress, codeOf(error))
}

/** A request without an end: how far it came says what it may have cost. */
const troubleOf = ({ sent, head }: Progress, cause: string): Trouble => {
  if (head !== null && (head.status < 200 || head.status > 299))
    return { kind: 'refused', status: head.status, code: null, type: null }
  return { kind: sent ? 'no_answer' : 'not_sent', cause }
}

const CAUSES_MAX = 5

const causesOf = (error: unknown): Error[] => {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < CAUSES_MAX; cause = cause.cause) causes.push(cause)
  return causes
}

/** The system's or the connection's own code (`ECONNREFUSED`), else the innermost error's class. */
const codeOf = (error: unknown): string => {
  const causes = causesOf(error)
  const codes = causes.map((cause) => ('code' in cause ? String(cause.code) : ''))
  return codes.find((code) => /^[A-Z][A-Z0-9_]+$/.test(code)) ?? causes.at(-1)?.name ?? 'not an Error'
}

/** The provider's names for what went wrong go into facts and logs: nothing that could be a sentence, a URL or a key. */
const nameOf = (value: unknown): string | null =>
  typeof value === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(value) ? value : null

const requestIdOf = ({ head }: Progress): string | null => {
  const id = head?.headers.get('x-request-id') ?? ''
  return /^[A-Za-z0-9_-]{1,100}$/.test(id) && !id.startsWith('sk-') ? id : null
}
