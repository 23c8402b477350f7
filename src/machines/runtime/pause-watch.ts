import type { Environment } from '../ports/environment.ts'
import type { Pause, Pauses } from '../ports/pauses.ts'
import { type EffectPool, EVERYTHING, type Held } from './effect-pool.ts'

/**
 * Holds this process to the pauses of the fleet: reads them again and again, and tells the pool of generations. Until they
 * were read once everything is held, so that a pause outlives a restart; when they cannot be read, what was read last stands.
 */
export class PauseWatch {
  readonly #pauses: Pick<Pauses, 'list'>
  readonly #env: Pick<Environment, 'clock' | 'meter'>
  #generations: Pick<EffectPool, 'hold'> | null = null
  #read: readonly Pause[] | null = null

  constructor(pauses: Pick<Pauses, 'list'>, env: Pick<Environment, 'clock' | 'meter'>) {
    this.#pauses = pauses
    this.#env = env
  }

  /** From now on the pauses hold in this pool. */
  govern(generations: Pick<EffectPool, 'hold'>): void {
    this.#generations = generations
    generations.hold(this.#read === null ? EVERYTHING : heldBy(this.#read))
  }

  /** As last read; empty before the first time. */
  get pauses(): readonly Pause[] {
    return this.#read ?? []
  }

  /** Whether tasks stay in the producers' list for now. */
  holdsList(): boolean {
    return this.#read?.some(({ scope }) => scope === 'list') ?? true
  }

  /** The pauses for whoever changes them: this process heeds a change at once, the others when they look. */
  heeding(pauses: Pauses): Pauses {
    const heeded = async <Answer>(answer: Answer): Promise<Answer> => {
      // What cannot be read now is read soon: the change stands.
      await this.look().catch(() => {})
      return answer
    }
    return {
      list: () => pauses.list(),
      pause: async (pause) => heeded(await pauses.pause(pause)),
      resume: async (scope) => heeded(await pauses.resume(scope)),
    }
  }

  /** Rejects when the pauses cannot be read. */
  async look(): Promise<void> {
    this.#read = await this.#pauses.list()
    this.#generations?.hold(heldBy(this.#read))
    for (const kind of ['all', 'list', 'tenant'] as const) this.#show(kind, this.#read)
  }

  #show(kind: 'all' | 'list' | 'tenant', pauses: readonly Pause[]): void {
    const { clock, meter } = this.#env
    const since = pauses.filter(({ scope }) => kindOf(scope) === kind).map((one) => Date.parse(one.since))
    const ageMs = since.length === 0 ? 0 : Math.max(0, clock.now() - Math.min(...since))
    meter.gauge('paused_seconds', ageMs / 1_000, { scope: kind })
  }
}

const kindOf = (scope: Pause['scope']): 'all' | 'list' | 'tenant' =>
  scope === 'all' || scope === 'list' ? scope : 'tenant'

const heldBy = (pauses: readonly Pause[]): Held => ({
  all: pauses.some(({ scope }) => scope === 'all'),
  tenants: new Set(pauses.map(({ scope }) => scope).filter((scope) => kindOf(scope) === 'tenant')),
})
