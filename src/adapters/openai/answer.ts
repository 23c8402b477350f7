import { z } from 'zod'
import type { Clock } from '../../machines/ports/environment.ts'
import type { PictureFetcher } from '../../pictures/fetch.ts'
import { withPicture } from '../../pictures/prepare.ts'
import { AnsweredUsage } from './usage.ts'

const JPEG_QUALITY = 90
const FETCH_TRIES = 3
const FETCH_WAIT_MS = 1_000

const Answer = z.object({
  data: z.tuple([z.object({ b64_json: z.string().min(1).nullish(), url: z.string().min(1).nullish() })], z.unknown()),
  usage: AnsweredUsage.nullish().catch(null),
})
export type Answer = z.infer<typeof Answer>

/** A successful answer's body, or null. One that was called something else than JSON is read all the same: it was paid. */
export const answerOf = (body: unknown): Answer | null => Answer.safeParse(fromText(body)).data ?? null

const fromText = (body: unknown): unknown => {
  if (typeof body !== 'string') return body
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/**
 * The image of an answer as JPEG, decoded in full so that a damaged one shows here, or why there is none.
 * @throws the signal's reason once it aborts.
 */
export const imageOf = async (
  { data: [made] }: Answer,
  fetchResult: (url: string, signal: AbortSignal) => Promise<Uint8Array | string>,
  signal: AbortSignal,
): Promise<Uint8Array | string> => {
  const { b64_json: base64, url } = made
  if (!base64 && !url) return 'neither an image nor its address'
  const bytes = base64 ? Buffer.from(base64, 'base64') : await fetchResult(url ?? '', signal)
  if (typeof bytes === 'string') return bytes
  const jpeg = await withPicture(bytes, (picture) =>
    picture.flatten({ background: '#ffffff' }).toColourspace('srgb').jpeg({ quality: JPEG_QUALITY }).toBuffer(),
  )
  signal.throwIfAborted()
  return 'code' in jpeg ? jpeg.detail : jpeg
}

/** Fetches an image that an answer only names, from hosts of the provider alone. It is paid: a failing fetch is tried again. */
export const resultFetcher =
  (fetcher: PictureFetcher<Uint8Array>, clock: Clock) =>
  async (url: string, signal: AbortSignal): Promise<Uint8Array | string> => {
    for (let tries = 1; ; tries++) {
      const found = await fetcher.fetch([url], signal, 'results')
      if (Array.isArray(found)) return found[0] ?? 'no image at its address'
      if (found.code === 'input_rejected' || tries >= FETCH_TRIES) return `its address: ${found.detail}`
      await clock.sleep(FETCH_WAIT_MS, signal)
      signal.throwIfAborted()
    }
  }
