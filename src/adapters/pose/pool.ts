import { initialTransition, transition } from 'xstate'
import type { Environment } from '../../machines/ports/environment.ts'
import {
  type NoEstimate,
  POSE_SIDE_MAX,
  type PoseEngine,
  type PoseEstimate,
  type PoseModelStatus,
  type RgbPicture,
} from '../../machines/ports/pose.ts'
import {
  type PoseModelEvent,
  type PoseModelSnapshot,
  poseModelMachine,
  takesPictures,
} from '../../machines/pose-model.ts'
import type { EngineProcess } from './engine-process.ts'
import type { EngineOptions, Estimated, Part } from './messages.ts'
import { Request } from './request.ts'
import { Slot } from './slot.ts'

/** When to come again. */
const RETRY_AFTER_MS: Readonly<Record<NoEstimate['code'], number>> = {
  saturated: 1_000,
  model_not_ready: 2_000,
  engine_crashed: 1_000,
  deadline: 1_000,
}

export interface PosePoolOptions {
  readonly engine: EngineOptions
  /** Engine processes; each takes one core while it looks, and 250 to 450 MB. */
  readonly workers: number
  /** Pictures that may wait for a free engine; beyond, `saturated`. */
  readonly waitingMax: number
  /** From the call to its answer, ms: the callers give up after 5 s (CONTRACT section 6), and fetched the photo in that time too. */
  readonly deadlineMs: number
  /** An engine that looks at one picture for longer hangs and is ended, ms. A multiple of the deadline: a slow machine is no fault. */
  readonly hangsMs?: number
  readonly env: Environment
}

const HANGS_MS = 20_000

/** Starts the engines, the second once the first works, and answers at once: `status` tells how far they are. */
export const openPosePool = (options: PosePoolOptions): PoseEngine => new PosePool(options)

class PosePool implements PoseEngine {
  readonly #options: PosePoolOptions
  readonly #closing = new AbortController()
  readonly #idle: EngineProcess[] = []
  readonly #looking = new Map<EngineProcess, Request>()
  readonly #waiting: Request[] = []
  readonly #firstReady = Promise.withResolvers<void>()
  readonly #slots: readonly Slot[]
  readonly #ended: Promise<unknown>
  #model: PoseModelSnapshot = initialTransition(poseModelMachine)[0]

  constructor(options: PosePoolOptions) {
    this.#options = options
    const events = {
      tell: (event: PoseModelEvent) => this.#tell(event),
      serve: (engine: EngineProcess) => this.#serve(engine),
      gone: (engine: EngineProcess, reason: string) => this.#gone(engine, reason),
    }
    this.#slots = Array.from({ length: options.workers }, () => new Slot(options.engine, events, options.env))
    this.#ended = Promise.all(this.#slots.map((slot, index) => this.#run(slot, index)))
  }

  async estimate(picture: RgbPicture, signal: AbortSignal): Promise<PoseEstimate | NoEstimate> {
    assertFits(picture)
    signal.throwIfAborted()
    const { clock } = this.#options.env
    const startedAt = clock.now()
    const answer = await (this.#refusal() ?? this.#find(picture, startedAt, signal))
    this.#count('code' in answer ? answer.code : 'estimated', clock.now() - startedAt)
    return answer
  }

  status(): PoseModelStatus {
    const { value, context } = this.#model
    return {
      state: value,
      backend: context.backend,
      reason: context.reason,
      enginesReady: context.ready,
      engines: this.#slots.length,
      waiting: this.#waiting.length,
    }
  }

  async close(): Promise<void> {
    this.#tell({ type: 'pool.closed' })
    this.#closing.abort()
    this.#refuseWaiting()
    await this.#ended
  }

  /** One after the other: a machine with two cores starts them no faster together, and what fails for one fails for all. */
  async #run(slot: Slot, index: number): Promise<void> {
    const { signal } = this.#closing
    const closing = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    if (index > 0) await Promise.race([this.#firstReady.promise, closing])
    await slot.run(signal)
  }

  #refusal(): NoEstimate | null {
    if (!takesPictures(this.#model)) return none('model_not_ready')
    return this.#idle.length === 0 && this.#waiting.length >= this.#options.waitingMax ? none('saturated') : null
  }

  /** One engine finds all; where two have nothing else to do, the body and the people are found at the same time. */
  async #find(picture: RgbPicture, queuedAt: number, signal: AbortSignal): Promise<PoseEstimate | NoEstimate> {
    const ask = (part: Part) => this.#ask(new Request({ picture, part }, queuedAt), signal)
    if (this.#idle.length < 2) return ask('all')
    const [body, people] = await Promise.all([ask('body'), ask('people')])
    if ('code' in body || 'code' in people) return 'code' in body ? body : people
    const { queuedMs, blazePoseMs } = body.timing
    return {
      body: body.body,
      people: people.people,
      timing: { queuedMs, blazePoseMs, moveNetMs: people.timing.moveNetMs },
    }
  }

  #ask(request: Request, signal: AbortSignal): Promise<PoseEstimate | NoEstimate> {
    this.#waiting.push(request)
    signal.addEventListener('abort', () => this.#leave(request, signal.reason), { signal: request.over.signal })
    void this.#options.env.clock.sleep(this.#options.deadlineMs, request.over.signal).then(() => this.#expire(request))
    this.#pump()
    return request.answer
  }

  #pump(): void {
    while (this.#idle.length > 0) {
      const request = this.#waiting.shift()
      const engine = request && this.#idle.shift()
      if (request === undefined || engine === undefined) break
      this.#look(engine, request)
    }
    this.#options.env.meter.gauge('pose_waiting', this.#waiting.length)
  }

  #look(engine: EngineProcess, request: Request): void {
    const queuedMs = this.#options.env.clock.now() - request.queuedAt
    this.#looking.set(engine, request)
    const looked = this.#watch(engine)
    engine.estimate(request.asked).then(
      (estimated) => {
        looked.abort()
        request.end(answerOf(estimated, queuedMs))
        for (const slot of this.#slots) slot.answered(engine)
        this.#looking.delete(engine)
        this.#serve(engine)
      },
      // The engine ended, and `gone` tells the caller so.
      () => looked.abort(),
    )
  }

  /** Ends an engine that may never come back, unless what is answered aborts. */
  #watch(engine: EngineProcess): AbortController {
    const { hangsMs = HANGS_MS, env } = this.#options
    const looked = new AbortController()
    void env.clock.sleep(hangsMs, looked.signal).then(() => {
      if (!looked.signal.aborted) engine.end(`it looked at one picture for ${hangsMs} ms`)
    })
    return looked
  }

  #serve(engine: EngineProcess): void {
    this.#firstReady.resolve()
    this.#idle.push(engine)
    this.#pump()
  }

  #gone(engine: EngineProcess, reason: string): void {
    if (this.#closing.signal.aborted) return this.#forget(engine, 'model_not_ready')
    const { env } = this.#options
    env.meter.count('pose_engine_ends_total')
    env.logger.warn({ reason, model: this.#model.value }, 'a pose engine ended; another one takes its place')
    this.#forget(engine, 'engine_crashed')
    if (!takesPictures(this.#model)) this.#refuseWaiting()
  }

  #forget(engine: EngineProcess, code: NoEstimate['code']): void {
    this.#looking.get(engine)?.end(none(code))
    this.#looking.delete(engine)
    if (this.#idle.includes(engine)) this.#idle.splice(this.#idle.indexOf(engine), 1)
  }

  #expire(request: Request): void {
    this.#withdraw(request)
    request.end(none('deadline'))
  }

  /** Nobody waits for the answer any more; an engine that is at it already finishes it. */
  #leave(request: Request, reason: unknown): void {
    this.#withdraw(request)
    request.leave(reason)
  }

  #withdraw(request: Request): void {
    if (this.#waiting.includes(request)) this.#waiting.splice(this.#waiting.indexOf(request), 1)
  }

  #refuseWaiting(): void {
    for (const request of this.#waiting.splice(0)) request.end(none('model_not_ready'))
  }

  #tell(event: PoseModelEvent): void {
    this.#model = transition(poseModelMachine, this.#model, event)[0]
    this.#options.env.meter.gauge('pose_engines_ready', this.#model.context.ready)
  }

  #count(outcome: string, ms: number): void {
    this.#options.env.meter.observe('pose_seconds', ms / 1_000, { outcome })
  }
}

const none = (code: NoEstimate['code']): NoEstimate => ({ code, retryAfterMs: RETRY_AFTER_MS[code] })

const answerOf = ({ body, people, blazePoseMs, moveNetMs }: Estimated, queuedMs: number): PoseEstimate => ({
  body,
  people,
  timing: { queuedMs, blazePoseMs, moveNetMs },
})

const assertFits = ({ rgb, width, height }: RgbPicture): void => {
  const fits = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= POSE_SIDE_MAX)
  if (!fits || rgb.length !== width * height * 3) throw new RangeError('the picture does not fit its size')
}
