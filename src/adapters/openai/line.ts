import { Agent, type Dispatcher, fetch } from 'undici'
import { gather } from '../../pictures/gather.ts'

/** A picture of 3840 x 2160 as PNG in base64 is 30 MB at the worst; error bodies are a few hundred bytes. */
const ANSWER_BYTES_MAX = 48 * 1024 * 1024
const REFUSAL_BYTES_MAX = 64 * 1024
const CONNECT_TIMEOUT_MS = 10_000
const HEADER_BYTES_MAX = 64 * 1024

/** How far one request came. */
export interface Progress {
  /** True from when its last byte was handed to a connection that stood: from then on the provider may have it. */
  readonly sent: boolean
  /** Of the answer, as soon as its head is here. */
  readonly head: { readonly status: number; readonly headers: Headers } | null
}

/** One request's way to the provider: a `fetch` for the official client, and how far it came. */
export interface Line {
  readonly fetch: typeof globalThis.fetch
  readonly progress: Progress
}

/** The answer is larger than any that we asked for. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

/**
 * Opens lines over connections of their own: an idle one that the provider closes at the moment of sending would leave a request of
 * which nobody can say whether it arrived. Redirects are not followed, and whoever asks brings the time limit.
 */
export const openLines = (): (() => Line) => {
  const agent = new Agent({
    pipelining: 0,
    allowH2: false,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: HEADER_BYTES_MAX,
  })
  return () => openLine(agent)
}

const openLine = (agent: Agent): Line => {
  const progress: { -readonly [Key in keyof Progress]: Progress[Key] } = { sent: false, head: null }
  const dispatcher = agent.compose(
    noticesSending(() => {
      progress.sent = true
    }),
  )
  const send: typeof globalThis.fetch = async (input, { body, headers, method, signal } = {}) => {
    // The client's FormData is the platform's, which this fetch does not know: it is encoded here, as the platform would.
    const encoded = new Request('http://multipart.invalid', { method: 'POST', body: body ?? null })
    const sending = new Headers(headers)
    sending.set('content-type', encoded.headers.get('content-type') ?? '')
    const response = await fetch(input instanceof Request ? input.url : input, {
      dispatcher,
      redirect: 'manual',
      method: method ?? 'POST',
      headers: [...sending],
      body: new Uint8Array(await encoded.arrayBuffer()),
      signal: signal ?? null,
    })
    const head = { status: response.status, headers: new Headers([...response.headers]) }
    progress.head = head
    return new Response(await bodyOf(response.body, head.status), head)
  }
  // The client asks this of a fetch that is not the platform's before it builds a form.
  return { fetch: Object.assign(send, { Response }), progress }
}

type Body = AsyncIterable<Uint8Array> | null

/** Null where the status allows no body; a refusal whose body does not come in full is told by its status alone. */
const bodyOf = async (body: Body, status: number): Promise<Uint8Array<ArrayBuffer> | null> => {
  if (body === null || status === 204 || status === 205 || status === 304) return null
  const refusal = status < 200 || status > 299
  const gathered = await gather(body, refusal ? REFUSAL_BYTES_MAX : ANSWER_BYTES_MAX, 0).catch((error: unknown) => {
    if (refusal) return null
    throw error
  })
  if (gathered instanceof Uint8Array) return new Uint8Array(gathered)
  if (refusal) return null
  throw new AnswerTooLarge()
}

const noticesSending =
  (sent: () => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart: (...given) => handler.onRequestStart?.(...given),
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStarted: () => handler.onResponseStarted?.(),
      onResponseStart: (...given) => handler.onResponseStart?.(...given),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
      onBodySent: (chunk) => handler.onBodySent?.(chunk),
      onRequestSent: () => {
        sent()
        handler.onRequestSent?.()
      },
    })
