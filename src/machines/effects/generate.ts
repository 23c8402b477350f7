import type { FailureCode } from '../../events/codes.ts'
import type { Result } from '../../events/generation.ts'
import { type Owner, tenantOf } from '../../events/owner.ts'
import { fail, inSpan, SpanKind } from '../../tracing/trace.ts'
import { errorName } from '../error-name.ts'
import type { Clock } from '../ports/environment.ts'
import type { Generator, NoImage } from '../ports/generator.ts'
import type { ObjectStore } from '../ports/objects.ts'
import type { PictureSource } from '../ports/pictures.ts'
import type { Platform } from '../ports/platform.ts'
import { onAbort } from '../runtime/signal.ts'
import type { Snapshot } from '../snapshot.ts'
import { type ImageMetadata, readImageMetadata } from './image-metadata.ts'
import type { GenerationOutcome } from './outcome.ts'
import { type PaidImage, PaidImages } from './paid-images.ts'
import { resultPath } from './paths.ts'

/** Front ends are promised a URL that works this long; the platform deletes the file after the same time. */
export const URL_VALID_MS = 21_600_000

export interface GenerateParts {
  readonly clock: Clock
  readonly platform: Platform
  readonly pictures: PictureSource
  readonly generator: Generator
  readonly objects: ObjectStore
}

/**
 * One try of a generation. Asks the platform whether it is still wanted, takes an image that an earlier try left in storage
 * rather than paying twice, and otherwise fetches the pictures, makes the image, stores it and asks the platform again.
 * An image that storage does not take is kept for the next try, which only uploads it.
 */
export const generate = (parts: GenerateParts) => {
  const paid = new PaidImages(parts.clock)
  return (session: Snapshot, signal: AbortSignal): Promise<GenerationOutcome> =>
    inSpan('generation', spanOf(session), async (span) => {
      const outcome = await tryOrSay({ ...parts, paid, signal }, session)
      span.setAttribute('outcome', outcome.kind)
      if (outcome.kind === 'failed') fail(span, outcome.code)
      return outcome
    })
}

const spanOf = ({ id, context }: Snapshot) => ({
  kind: SpanKind.CONSUMER,
  attributes: { 'session.id': id, attempt: context.attempt },
  parent: context.traceparent,
})

const tryOrSay = async (trying: Trying, session: Snapshot): Promise<GenerationOutcome> => {
  try {
    return await tryOnce(trying, session)
  } catch (error) {
    if (error instanceof Unreached) return { kind: 'failed', code: error.code, detail: error.message }
    throw error
  }
}

interface Trying extends GenerateParts {
  readonly paid: PaidImages
  readonly signal: AbortSignal
}

const tryOnce = async (trying: Trying, session: Snapshot): Promise<GenerationOutcome> => {
  const { id, context } = session
  if (context.owner === null) return { kind: 'failed', code: 'invalid_task', detail: 'the session has no owner' }
  const withdrawn = await withdrawal(trying, session)
  if (withdrawn !== null) return withdrawn
  const path = resultPath(context.owner, id)
  const found = await findImage(trying, path)
  if (found !== null) return completed(trying, session, path, found, true)
  const image = trying.paid.of(id) ?? (await pay(trying, session, context.owner))
  if ('code' in image) return { kind: 'failed', ...image }
  const outcome = await store(trying, session, path, image)
  // Meanwhile the platform may have given the credit back, as it does every midnight with what takes too long. Behind the
  // upload: should this question fail, the next try finds the image.
  return (await withdrawal(trying, session)) ?? outcome
}

/** Null while the platform wants the session. */
const withdrawal = async (trying: Trying, { id }: Snapshot): Promise<GenerationOutcome | null> => {
  const { platform, paid } = trying
  const wanted = await reach(trying, 'platform_unavailable', 'the row', platform.look(id))
  if (wanted.wanted) return null
  paid.drop(id)
  return { kind: 'withdrawn', why: wanted.why, detail: wanted.detail }
}

/** Makes the image. From here on it costs money, so it is kept until storage has it. */
const pay = async (trying: Trying, { id, context }: Snapshot, owner: Owner): Promise<PaidImage | NoImage> => {
  const { clock, paid, pictures, generator, signal } = trying
  if (paid.isFull()) return { code: 'storage_failed', detail: 'too many paid images wait for storage to pay for more' }
  const startedAt = clock.now()
  const fetched = await pictures.fetch(context.imageUrls, signal, tenantOf(owner))
  if (!Array.isArray(fetched)) return fetched
  const made = await inSpan(`provider ${generator.name}`, { kind: SpanKind.CLIENT }, async (span) => {
    const answer = await generator.generate({ sessionId: id, pictures: fetched, prompt: context.prompt }, signal)
    if ('code' in answer) fail(span, answer.code)
    return answer
  })
  if ('code' in made) return made
  const { bytes, usage, provenance } = made
  const image = { bytes, metadata: { usage, provenance, durationMs: clock.now() - startedAt } }
  paid.keep(id, image)
  return image
}

/** What lies at the path already is the result. */
const store = async (trying: Trying, session: Snapshot, path: string, image: PaidImage): Promise<GenerationOutcome> => {
  trying.signal.throwIfAborted()
  const { bytes, metadata } = image
  const upload = inSpan('upload', { kind: SpanKind.CLIENT, attributes: { bytes: bytes.byteLength } }, () =>
    trying.objects.put(path, bytes, metadata),
  )
  const stored = await reach(trying, 'storage_failed', 'the upload', upload)
  const lies = stored === 'stored' ? metadata : ((await findImage(trying, path)) ?? metadata)
  return completed(trying, session, path, lies, stored === 'exists')
}

const completed = async (
  trying: Trying,
  { id }: Snapshot,
  path: string,
  metadata: ImageMetadata,
  found: boolean,
): Promise<GenerationOutcome> => {
  const signing = trying.objects.sign(path, URL_VALID_MS)
  const { url, expiresAt } = await reach(trying, 'storage_failed', 'the signature', signing)
  trying.paid.drop(id)
  const result: Result = { path, url, urlExpiresAt: expiresAt, ...metadata, found }
  return { kind: 'completed', result }
}

const findImage = async (trying: Trying, path: string): Promise<ImageMetadata | null> => {
  const metadata = await reach(trying, 'storage_failed', 'the look into storage', trying.objects.find(path))
  return metadata === null ? null : readImageMetadata(metadata)
}

/** A part of ours did not answer, or not before the try had to stop. Nothing was paid for it, so it is asked again later. */
class Unreached extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, detail: string) {
    super(detail)
    this.code = code
  }
}

/** Awaits a part of ours, at most as long as the try may take. @throws Unreached */
const reach = async <Value>(
  { signal }: Trying,
  code: FailureCode,
  what: string,
  answer: Promise<Value>,
): Promise<Value> => {
  const stopped = Promise.withResolvers<never>()
  const unlisten = onAbort(signal, () => stopped.reject(new Error('stopped')))
  try {
    return await Promise.race([answer, stopped.promise])
  } catch (error) {
    throw new Unreached(code, signal.aborted ? `${what} took too long` : `${what} failed: ${errorName(error)}`)
  } finally {
    unlisten()
  }
}
