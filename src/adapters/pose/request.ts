import type { NoEstimate, PoseEstimate } from '../../machines/ports/pose.ts'
import type { Asked } from './messages.ts'

/** A picture, or a part of what is to be found in it, that waits for an engine or is looked at by one, until its answer or its caller's end. */
export class Request {
  readonly asked: Asked
  readonly queuedAt: number
  /** Aborts once it is over, in whichever way. */
  readonly over = new AbortController()
  readonly #answered = Promise.withResolvers<PoseEstimate | NoEstimate>()

  constructor(asked: Asked, queuedAt: number) {
    this.asked = asked
    this.queuedAt = queuedAt
  }

  get answer(): Promise<PoseEstimate | NoEstimate> {
    return this.#answered.promise
  }

  /** The first end stands. */
  end(answer: PoseEstimate | NoEstimate): void {
    this.#answered.resolve(answer)
    this.over.abort()
  }

  /** Its caller left. */
  leave(reason: unknown): void {
    this.#answered.reject(reason)
    this.over.abort()
  }
}
