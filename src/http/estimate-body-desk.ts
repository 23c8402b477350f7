import type { BodyAnswer, BodyRefusal } from '../body/answer.ts'
import { estimateBody, type Stated } from '../body/estimate.ts'
import type { Sight } from '../body/sight.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { lookAt, NotSeen, type PhotoSource, type SeenPhoto } from './estimate-body-photo.ts'
import type { BodyParts } from './parts.ts'
import { Problem } from './problem.ts'

/** Photos of somebody, and what is said of the body itself. */
export interface AskedBody {
  readonly stated: Stated
  readonly front: PhotoSource
  readonly side?: PhotoSource | undefined
}

/** What came of a request whose photos were looked at. */
export interface Looked {
  readonly front: SeenPhoto
  readonly outcome: BodyAnswer | BodyRefusal
}

/** Of a photo's hash: enough to tell photos apart. */
const HASH_DIGITS = 16
/** No photo may even wait for an engine. */
const NOT_LOADED: ReadonlySet<string> = new Set(['loading', 'failed', 'closed'])

/** Looks at the photos of so many requests at once, each within its time. Keeps nothing of them, and tells how they ended. */
export class BodyDesk {
  readonly #bodies: BodyParts
  readonly #env: Environment
  #running = 0

  constructor(bodies: BodyParts, env: Environment) {
    this.#bodies = bodies
    this.#env = env
  }

  /** @throws Problem */
  async estimate(asked: AskedBody, requestId: string): Promise<Looked> {
    try {
      const looked = await this.#inPlace(() => this.#inTime((signal) => this.#look(asked, signal)))
      this.#tellEnd(requestId, looked)
      return looked
    } catch (error) {
      this.#tellProblem(requestId, error)
      throw error
    }
  }

  async #inPlace(work: () => Promise<Looked>): Promise<Looked> {
    const { engine, estimatesMax, waitingMax } = this.#bodies
    const { state, waiting } = engine.status()
    if (NOT_LOADED.has(state)) throw new Problem('model_not_ready')
    if (this.#running >= estimatesMax || waiting >= waitingMax) throw new Problem('saturated')
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
    }
  }

  async #inTime(work: (signal: AbortSignal) => Promise<Looked>): Promise<Looked> {
    const signal = AbortSignal.timeout(this.#bodies.deadlineMs)
    try {
      return await work(signal)
    } catch (error) {
      throw error === signal.reason ? new Problem('deadline', { cause: error }) : error
    }
  }

  async #look({ stated, ...photos }: AskedBody, signal: AbortSignal): Promise<Looked> {
    const [front, side] = await Promise.all([
      this.#see(photos.front, '#/image_url', signal),
      photos.side === undefined ? null : this.#see(photos.side, '#/side_image_url', signal),
    ])
    const startedAt = this.#env.clock.now()
    const outcome = estimateBody(sightOf(front), stated, side === null ? undefined : sightOf(side))
    const seconds = (this.#env.clock.now() - startedAt) / 1_000
    this.#env.meter.observe('body_stage_seconds', seconds, { stage: 'measure' })
    return { front, outcome }
  }

  /** Bytes came as the body, in which no pointer points at them. */
  #see(source: PhotoSource, pointer: '#/image_url' | '#/side_image_url', signal: AbortSignal): Promise<SeenPhoto> {
    return lookAt(source, typeof source === 'string' ? pointer : null, this.#bodies, this.#env, signal)
  }

  #tellEnd(requestId: string, { front, outcome }: Looked): void {
    const reasons = 'reasons' in outcome ? outcome.reasons.map(({ code }) => code) : []
    for (const reason of reasons) this.#env.meter.count('body_refusals_total', { reason })
    const ended = reasons.length > 0 ? 'refused' : 'answered'
    this.#tell(requestId, ended, { photo: hashOf(front.photo.sha256), ...(reasons.length > 0 && { reasons }) })
  }

  #tellProblem(requestId: string, error: unknown): void {
    const code = error instanceof Problem ? error.code : 'internal'
    const photo = error instanceof NotSeen && error.sha256 !== null ? { photo: hashOf(error.sha256) } : {}
    const why = error instanceof NotSeen && error.why !== null ? { why: error.why } : {}
    this.#tell(requestId, code, { ...photo, ...why })
  }

  #tell(requestId: string, outcome: string, more: object): void {
    this.#env.meter.count('body_estimates_total', { outcome })
    this.#env.logger.info({ requestId, outcome, ...more }, 'estimate of a body')
  }
}

const sightOf = ({ photo: { width, height }, estimate: { body, people } }: SeenPhoto): Sight => ({
  width,
  height,
  body,
  people,
})

const hashOf = (sha256: string): string => sha256.slice(0, HASH_DIGITS)
