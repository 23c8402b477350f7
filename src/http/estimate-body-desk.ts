import type { BodyAnswer, BodyRefusal } from '../body/answer.ts'
import { estimateBody } from '../body/estimate.ts'
import type { BodyRequest } from '../body/request.ts'
import type { Sight } from '../body/sight.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { lookAt, NotSeen, type SeenPhoto } from './estimate-body-photo.ts'
import type { BodyParts } from './parts.ts'
import { Problem } from './problem.ts'

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
  async estimate(request: BodyRequest, requestId: string): Promise<Looked> {
    try {
      const looked = await this.#inPlace(() => this.#inTime((signal) => this.#look(request, signal)))
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

  async #look(request: BodyRequest, signal: AbortSignal): Promise<Looked> {
    const { image_url: frontUrl, side_image_url: sideUrl } = request
    const [front, side] = await Promise.all([
      lookAt(frontUrl, '#/image_url', this.#bodies, this.#env, signal),
      sideUrl === undefined ? null : lookAt(sideUrl, '#/side_image_url', this.#bodies, this.#env, signal),
    ])
    const startedAt = this.#env.clock.now()
    const outcome = estimateBody(sightOf(front), request, side === null ? undefined : sightOf(side))
    const seconds = (this.#env.clock.now() - startedAt) / 1_000
    this.#env.meter.observe('body_stage_seconds', seconds, { stage: 'measure' })
    return { front, outcome }
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
