import type { Environment } from '../machines/ports/environment.ts'
import type { NoEstimate, PoseEstimate } from '../machines/ports/pose.ts'
import type { Photo } from '../pictures/photo.ts'
import type { PictureProblem } from '../pictures/problem.ts'
import type { BodyParts } from './parts.ts'
import { Problem } from './problem.ts'

/** A photo and what the models see in it. */
export interface SeenPhoto {
  readonly photo: Photo
  readonly estimate: PoseEstimate
}

/** Which photo of the request, as a JSON pointer. */
type PhotoPointer = '#/image_url' | '#/side_image_url'

/** A photo that was not looked at. */
export class NotSeen extends Problem {
  /** Of the photo, when it could be read. */
  readonly sha256: string | null
  /** For operators: what was wrong with the picture or its address, without the address. */
  readonly why: string | null

  constructor({ code, ...more }: NotSeenBecause) {
    super(code, more)
    this.sha256 = more.sha256 ?? null
    this.why = more.why ?? null
  }
}

interface NotSeenBecause {
  readonly code: PictureProblem['code'] | NoEstimate['code']
  readonly sha256?: string
  readonly why?: string
  readonly faults?: Problem['faults']
  readonly headers?: Problem['headers']
}

/** Fetches a photo, reads it and has the models look at it. @throws NotSeen, or the signal's reason once it aborts. */
export const lookAt = async (
  url: string,
  pointer: PhotoPointer,
  { photos, engine }: BodyParts,
  { meter, clock }: Environment,
  signal: AbortSignal,
): Promise<SeenPhoto> => {
  const took = (stage: string, ms: number) => meter.observe('body_stage_seconds', ms / 1_000, { stage })
  const startedAt = clock.now()
  // A slow host leaves places to photos of others.
  const fetched = await photos.fetch([url], signal, new URL(url).host)
  if ('code' in fetched) throw notTaken(fetched, pointer)
  const [photo] = fetched
  if (photo === undefined) throw new RangeError('one photo was asked for, and none came')
  took('fetch', clock.now() - startedAt - photo.decodeMs)
  took('decode', photo.decodeMs)
  const estimate = await engine.estimate(photo, signal)
  if ('code' in estimate) throw notLookedAt(estimate, photo)
  took('queue', estimate.timing.queuedMs)
  took('blaze_pose', estimate.timing.blazePoseMs)
  took('move_net', estimate.timing.moveNetMs)
  return { photo, estimate }
}

const notTaken = ({ code, detail: why }: PictureProblem, pointer: PhotoPointer): NotSeen => {
  const detail = code === 'input_rejected' ? 'leads to no picture that is taken' : 'does not answer'
  return new NotSeen({ code, why, faults: [{ detail, pointer }] })
}

const notLookedAt = ({ code, retryAfterMs }: NoEstimate, { sha256 }: Photo): NotSeen =>
  new NotSeen({ code, sha256, headers: { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) } })
