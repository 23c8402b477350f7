import { createHash } from 'node:crypto'
import type { Provenance, Usage } from '../../events/generation.ts'
import type { Environment } from '../../machines/ports/environment.ts'
import type { Generator, MadeImage, NoImage } from '../../machines/ports/generator.ts'
import { pictureFetcher } from '../../pictures/fetch.ts'
import { sniff } from '../../pictures/sniff.ts'
import { answerOf, imageOf, resultFetcher } from './answer.ts'
import { type AskOptions, ask, type ImageOptions, type Reply } from './ask.ts'
import { Breaker } from './breaker.ts'
import { classify, type Trouble } from './classify.ts'
import { openLines } from './line.ts'
import { type Words, wordsFor } from './prompt.ts'
import { type TokenPrices, usageOf } from './usage.ts'

/** CONTRACT section 5. */
const TIMEOUT_MS = 180_000
/** More than any model takes; a task names at most ten. */
const PICTURES_MAX = 16
/** Where older models' answers point to; today's carry the image itself. */
const RESULT_HOSTS = ['oaidalleapiprodscus.blob.core.windows.net']

export interface OpenaiOptions {
  readonly apiKey: string
  /** With the API's version at its end. */
  readonly baseUrl: string
  readonly image: ImageOptions
  readonly prices: TokenPrices
  readonly requestsPerMinute: number
  readonly env: Environment
  readonly timeoutMs?: number
  /** `host` or `host:port`, where images lie that an answer only names; besides the API's own. */
  readonly resultHosts?: readonly string[]
}

/** Makes images by OpenAI's `POST /v1/images/edits`. What each answer means: `classify.ts`; more: `docs/openai.md`. */
export const openaiGenerator = (options: OpenaiOptions): Generator => {
  const { env, image, requestsPerMinute, resultHosts = RESULT_HOSTS } = options
  const breaker = new Breaker(env)
  const fetcher = pictureFetcher({ hosts: [hostOf(options.baseUrl), ...resultHosts], use: async (bytes) => bytes })
  const fetchResult = resultFetcher(fetcher, env.clock)
  const { apiKey, baseUrl, timeoutMs = TIMEOUT_MS } = options
  const asking: AskOptions = { apiKey, baseUrl, image, timeoutMs, clock: env.clock, openLine: openLines() }

  /** From here on the image is paid: whatever is wrong with it, nothing is thrown but the signal's reason. */
  const madeFrom = async (reply: Extract<Reply, { body: unknown }>, provenance: Provenance, signal: AbortSignal) => {
    const answer = answerOf(reply.body)
    if (answer === null) return malformed('not the answer of this API')
    const usage = usageOf(answer.usage ?? null, options.prices)
    countUsage(usage, env)
    if (!answer.usage)
      env.logger.warn({ requestId: reply.requestId }, 'an image came without its usage: its cost is not known')
    try {
      const bytes = await imageOf(answer, fetchResult, signal)
      return typeof bytes === 'string' ? malformed(bytes) : { bytes, usage, provenance }
    } catch (error) {
      signal.throwIfAborted()
      return malformed(error instanceof Error ? error.name : 'not an Error')
    }
  }

  return {
    name: 'openai',
    requestsPerMinute,
    gate: breaker,
    async generate({ pictures, prompt }, signal) {
      signal.throwIfAborted()
      const unusable = refusalOf(pictures)
      if (unusable !== null) return unusable
      const entry = breaker.enter()
      if ('waitMs' in entry)
        return { code: 'provider_paused', detail: 'the provider takes nothing now', retryAfterMs: entry.waitMs }
      const words = wordsFor(prompt)
      const startedAt = env.clock.now()
      const reply = await ask(asking, { pictures, prompt: words.prompt }, signal)
      const provenance = provenanceOf(image, pictures, words, reply.requestId)
      const made = 'trouble' in reply ? reply.trouble : await madeFrom(reply, provenance, signal)
      const outcome = 'kind' in made ? noImage(made, reply) : made
      count(outcome, env, startedAt)
      steer(breaker, entry, made, outcome)
      return outcome
    },
  }
}

const malformed = (cause: string): Trouble => ({ kind: 'malformed', cause })

const refusalOf = (pictures: readonly Uint8Array[]): NoImage | null => {
  const rejected = (detail: string): NoImage => ({ code: 'input_rejected', detail })
  if (pictures.length === 0) return rejected('there is no picture of a person')
  if (pictures.length > PICTURES_MAX) return rejected(`${pictures.length} pictures, at most ${PICTURES_MAX} are taken`)
  const other = pictures.findIndex((picture) => sniff(picture) !== 'jpeg')
  return other < 0 ? null : rejected(`picture ${other + 1}: not the JPEG that it should have been made`)
}

/** Codes, status and request id, and nothing that the provider said in its own words. */
const noImage = (trouble: Trouble, reply: Reply): NoImage => {
  const { code } = classify(trouble)
  const request = reply.requestId === null ? [] : [`request ${reply.requestId}`]
  const detail = [...tellOf(trouble), ...request].join(', ')
  const waitMs = 'trouble' in reply ? reply.retryAfterMs : null
  return { code, detail, ...(waitMs !== null && waitMs > 0 && { retryAfterMs: waitMs }) }
}

const tellOf = (trouble: Trouble): string[] => {
  if (trouble.kind !== 'refused') return [`${trouble.kind}: ${trouble.cause}`]
  const { status, code, type } = trouble
  return [`status ${status}`, ...(code === null ? [] : [`code ${code}`]), ...(type === null ? [] : [`type ${type}`])]
}

const steer = (
  breaker: Breaker,
  entry: { probe: boolean },
  made: Trouble | MadeImage,
  outcome: MadeImage | NoImage,
) => {
  if (!('kind' in made)) return breaker.accepted(entry)
  if (classify(made).account) return breaker.refused(entry, outcome)
  if ('code' in outcome && outcome.code === 'rate_limited') breaker.limited(outcome.retryAfterMs)
  // Of a request without an answer, or that only a gateway may have seen, nothing can be told.
  const reached = made.kind === 'malformed' || (made.kind === 'refused' && made.status < 500)
  if (reached) breaker.accepted(entry)
}

const provenanceOf = (
  image: ImageOptions,
  pictures: readonly Uint8Array[],
  { prompt, ours }: Words,
  providerRequestId: string | null,
): Provenance => ({
  generator: 'openai',
  model: image.model,
  parameters: { size: image.size, quality: image.quality, n: 1 },
  providerRequestId,
  inputs: pictures.map(sha256),
  promptSha256: sha256(prompt),
  defaultPrompt: ours,
})

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

const count = (outcome: MadeImage | NoImage, { meter, clock }: Environment, startedAt: number): void => {
  const code = 'code' in outcome ? outcome.code : 'image'
  meter.count('provider_calls_total', { code })
  meter.observe('provider_call_seconds', (clock.now() - startedAt) / 1_000, { code })
}

const countUsage = ({ byKind, inputTokens, outputTokens, costUsd }: Usage, { meter }: Environment): void => {
  const kinds = byKind ?? { textIn: 0, imageIn: inputTokens, textOut: 0, imageOut: outputTokens }
  for (const [kind, tokens] of Object.entries(kinds))
    meter.count('provider_tokens_total', { kind: metricKind(kind) }, tokens)
  meter.count('provider_cost_usd_total', {}, costUsd)
}

const metricKind = (kind: string): string => kind.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)

const hostOf = (url: string): string => new URL(url).host
