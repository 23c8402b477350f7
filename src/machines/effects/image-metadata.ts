import { z } from 'zod'
import { notNoted, Provenance, Usage } from '../../events/generation.ts'
import { liftedMaking } from '../../events/upcasters.ts'
import type { ObjectMetadata } from '../ports/objects.ts'

/** What travels with a stored image: enough to complete its session in full when only the image is found. */
const ImageMetadata = z.object({ usage: Usage, provenance: Provenance, durationMs: z.int().nonnegative() })
export type ImageMetadata = z.infer<typeof ImageMetadata>

/** What lies beside a stored image, of whichever version it is. */
export const readImageMetadata = (metadata: ObjectMetadata): ImageMetadata =>
  ImageMetadata.safeParse(liftedMaking(metadata)).data ?? foreign

/** An image that lies at the path without our metadata, as the old worker left them: it is the result all the same. */
const foreign: ImageMetadata = {
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null },
  provenance: { ...notNoted, generator: 'unknown', model: 'unknown' },
  durationMs: 0,
}
