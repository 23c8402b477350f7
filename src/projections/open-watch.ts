import type { Environment } from '../machines/ports/environment.ts'
import type { Queries } from './queries.ts'

/** Shows how many sessions are under way, by state, and how old the oldest of them is. */
export class OpenWatch {
  readonly #queries: Pick<Queries, 'openSessions'>
  readonly #env: Pick<Environment, 'clock' | 'meter'>

  constructor(queries: Pick<Queries, 'openSessions'>, env: Pick<Environment, 'clock' | 'meter'>) {
    this.#queries = queries
    this.#env = env
  }

  async look(): Promise<void> {
    const { clock, meter } = this.#env
    const found = await this.#queries.openSessions()
    for (const state of ['queued', 'processing'] as const) {
      const open = found.find((one) => one.state === state)
      const ageMs = open === undefined ? 0 : Math.max(0, clock.now() - Date.parse(open.oldest))
      meter.gauge('sessions_open', open?.count ?? 0, { state })
      meter.gauge('sessions_oldest_seconds', ageMs / 1_000, { state })
    }
  }
}
