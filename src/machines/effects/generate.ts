import { z } from 'zod'
import { notNoted, Provenance, type Result, Usage } from '../../events/generation.ts'
import { tenantOf } from '../../events/owner.ts'
import { liftedMaking } from '../../events/upcasters.ts'
import type { Clock } from '../ports/environment.ts'
import type { Generator, MadeImage } from '../ports/generator.ts'
import type { ObjectMetadata, ObjectStore } from '../ports/objects.ts'
import type { PictureSource } from '../ports/pictures.ts'
import type { Platform } from '../ports/platform.ts'
import type { Snapshot } from '../snapshot.ts'
import type { GenerationOutcome } from './outcome.ts'
import { resultPath } from './paths.ts'

/** Front ends are promised a URL that works this long; the platform deletes the file after the same time. */
export const URL_VALID_MS = 21_600_000

const UPLOAD_TRIES = 4
const UPLOAD_WAIT_MS = 500

/** What travels with a stored image: enough to complete its session in full when only the image is found. */
const ImageMetadata = z.object({ usage: Usage, provenance: Provenance, durationMs: z.int().nonnegative() })
type ImageMetadata = z.infer<typeof ImageMetadata>

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
 */
export const generate =
  (parts: GenerateParts) =>
  async (session: Snapshot, signal: AbortSignal): Promise<GenerationOutcome> => {
    const { owner, imageUrls, prompt } = session.context
    if (owner === null) return { kind: 'failed', code: 'invalid_task', detail: 'the session has no owner' }
    const withdrawn = await withdrawal(parts.platform, session)
    if (withdrawn !== null) return withdrawn
    const path = resultPath(owner, session.id)
    const found = await findImage(parts.objects, path)
    if (found !== null) return { kind: 'completed', result: await resultOf(parts, path, found, true) }
    const startedAt = parts.clock.now()
    const pictures = await parts.pictures.fetch(imageUrls, signal, tenantOf(owner))
    if (!Array.isArray(pictures)) return { kind: 'failed', ...pictures }
    const image = await parts.generator.generate({ sessionId: session.id, pictures, prompt }, signal)
    if ('code' in image) return { kind: 'failed', ...image }
    const metadata = { usage: image.usage, provenance: image.provenance, durationMs: parts.clock.now() - startedAt }
    const outcome = await store(parts, path, image, metadata, signal)
    if (outcome.kind !== 'completed') return outcome
    // Meanwhile the platform may have given the credit back, as it does every midnight with what takes too long. Behind the
    // upload: should this question fail, the next try finds the image.
    return (await withdrawal(parts.platform, session)) ?? outcome
  }

/** Null while the platform wants the session. */
const withdrawal = async (platform: Platform, { id }: Snapshot): Promise<GenerationOutcome | null> => {
  const wanted = await platform.look(id)
  return wanted.wanted ? null : { kind: 'withdrawn', why: wanted.why, detail: wanted.detail }
}

/** A paid image is not thrown away: the upload is tried again before the try fails. What is there already is the result. */
const store = async (
  parts: GenerateParts,
  path: string,
  image: MadeImage,
  metadata: ImageMetadata,
  signal: AbortSignal,
): Promise<GenerationOutcome> => {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    try {
      const stored = await parts.objects.put(path, image.bytes, metadata)
      const kept = stored === 'stored' ? metadata : ((await findImage(parts.objects, path)) ?? metadata)
      return { kind: 'completed', result: await resultOf(parts, path, kept, stored === 'exists' && tries === 1) }
    } catch (error) {
      const detail = `upload failed ${tries} times: ${error instanceof Error ? error.name : 'not an Error'}`
      if (tries >= UPLOAD_TRIES) return { kind: 'failed', code: 'storage_failed', detail }
      await parts.clock.sleep(UPLOAD_WAIT_MS * 2 ** tries, signal)
    }
  }
}

const resultOf = async (
  parts: GenerateParts,
  path: string,
  metadata: ImageMetadata,
  found: boolean,
): Promise<Result> => {
  const { url, expiresAt } = await parts.objects.sign(path, URL_VALID_MS)
  return { path, url, urlExpiresAt: expiresAt, ...metadata, found }
}

const findImage = async (objects: ObjectStore, path: string): Promise<ImageMetadata | null> => {
  const metadata: ObjectMetadata | null = await objects.find(path)
  if (metadata === null) return null
  const known = ImageMetadata.safeParse(liftedMaking(metadata))
  return known.success ? known.data : foreign
}

/** An image that lies at the path without our metadata, as the old worker left them: it is the result all the same. */
const foreign: ImageMetadata = {
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null },
  provenance: { ...notNoted, generator: 'unknown', model: 'unknown' },
  durationMs: 0,
}
