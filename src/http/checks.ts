import type { Clock, Logger } from '../machines/ports/environment.ts'
import type { Check, HttpLimits } from './parts.ts'

export interface CheckResult {
  readonly name: string
  readonly ok: boolean
  readonly remedy: string
}

/** The named checks, run together and bounded in time; a result stands for a moment, however many probes ask. */
export class Checks {
  readonly #checks: readonly Check[]
  readonly #limits: Pick<HttpLimits, 'checkMs' | 'checkCacheMs'>
  readonly #clock: Clock
  readonly #logger: Logger
  #last: { readonly atMs: number; readonly results: Promise<CheckResult[]> } | null = null

  constructor(
    checks: readonly Check[],
    limits: Pick<HttpLimits, 'checkMs' | 'checkCacheMs'>,
    { clock, logger }: { clock: Clock; logger: Logger },
  ) {
    this.#checks = checks
    this.#limits = limits
    this.#clock = clock
    this.#logger = logger
  }

  /** Never rejects. */
  results(): Promise<CheckResult[]> {
    const nowMs = this.#clock.now()
    if (this.#last === null || nowMs - this.#last.atMs >= this.#limits.checkCacheMs) {
      this.#last = { atMs: nowMs, results: Promise.all(this.#checks.map((check) => this.#run(check))) }
    }
    return this.#last.results
  }

  async #run({ name, remedy, run }: Check): Promise<CheckResult> {
    const done = new AbortController()
    const tooLate = this.#clock.sleep(this.#limits.checkMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`no answer in ${this.#limits.checkMs} ms`)
    })
    try {
      await Promise.race([run(), tooLate])
      return { name, ok: true, remedy }
    } catch (error) {
      this.#logger.warn({ check: name, error }, 'check failed')
      return { name, ok: false, remedy }
    } finally {
      done.abort('ended')
    }
  }
}
