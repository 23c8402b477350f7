import type { Environment } from '../machines/ports/environment.ts'
import type { NoEstimate, PoseEstimate } from '../machines/ports/pose.ts'
import { openPhoto, type Photo } from '../pictures/photo.ts'
import type { PictureProblem } from '../pictures/problem.ts'
import type { BodyParts } from './parts.ts'
import { Problem } from './problem.ts'

/** A photo and what the models see in it. */
export interface SeenPhoto {
  readonly photo: Photo
  readonly estimate: PoseEstimate
}

/** A photo's address, or its bytes. */
export type PhotoSource = string | Uint8Array

/** Where in the request the photo is named, as a JSON pointer; null where it is the request's body. */
type PhotoPointer = '#/image_url' | '#/side_image_url' | null

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
  readonly code: PictureProblem['code'] | NoEstimate['code'] | 'no_picture'
  readonly sha256?: string
  readonly why?: string
  readonly faults?: Problem['faults']
  readonly headers?: Problem['headers']
}

/** Fetches a photo, reads it and has the models look at it. @throws NotSeen, or the signal's reason once it aborts. */
export const lookAt = async (
  source: PhotoSource,
  pointer: PhotoPointer,
  { photos, engine }: BodyParts,
  { meter, clock }: Environment,
  signal: AbortSignal,
): Promise<SeenPhoto> => {
  const took = (stage: string, ms: number) => meter.observe('body_stage_seconds', ms / 1_000, { stage })
  const startedAt = clock.now()
  const photo = typeof source === 'string' ? await fetched(source, photos, signal) : await openPhoto(source)
  if ('code' in photo) throw notTaken(photo, pointer)
  took('fetch', clock.now() - startedAt - photo.decodeMs)
  took('decode', photo.decodeMs)
  const estimate = await engine.estimate(photo, signal)
  if ('code' in estimate) throw notLookedAt(estimate, photo)
  took('queue', estimate.timing.queuedMs)
  took('blaze_pose', estimate.timing.blazePoseMs)
  took('move_net', estimate.timing.moveNetMs)
  return { photo, estimate }
}

const fetched = async (
  url: string,
  photos: BodyParts['photos'],
  signal: AbortSignal,
): Promise<Photo | PictureProblem> => {
  // A slow host leaves places to photos of others.
  const taken = await photos.fetch([url], signal, new URL(url).host)
  if ('code' in taken) return taken
  const [photo] = taken
  if (photo === undefined) throw new RangeError('one photo was asked for, and none came')
  return photo
}

const notTaken = ({ code, detail: why }: PictureProblem, pointer: PhotoPointer): NotSeen => {
  if (pointer === null) return new NotSeen({ code: 'no_picture', why })
  const detail = code === 'input_rejected' ? 'leads to no picture that is taken' : 'does not answer'
  return new NotSeen({ code, why, faults: [{ detail, pointer }] })
}

const notLookedAt = ({ code, retryAfterMs }: NoEstimate, { sha256 }: Photo): NotSeen =>
  new NotSeen({ code, sha256, headers: { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) } })
