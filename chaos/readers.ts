import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from '../src/adapters/postgres/sql.ts'
import type { SessionId } from '../src/events/ids.ts'
import type { Evidence } from '../src/projections/evidence.ts'

const PAUSE_MS = 50

/** Clients that look at sessions again and again while everything breaks. */
export class Readers {
  #readings: Evidence['readings'][number][] = []
  readonly #sql: Sql
  readonly #sessions: () => readonly SessionId[]
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  /** @param sessions those that there is something to see of. */
  constructor(sql: Sql, sessions: () => readonly SessionId[]) {
    this.#sql = sql
    this.#sessions = sessions
    this.#running = this.#look()
  }

  get readings(): Evidence['readings'] {
    return this.#readings
  }

  /** What was read so far is forgotten: the database itself went back. */
  forget(): void {
    this.#readings = []
  }

  stop(): Promise<void> {
    this.#stop.abort()
    return this.#running
  }

  async #look(): Promise<void> {
    for (let turn = 0; !this.#stop.signal.aborted; turn++) {
      await sleep(PAUSE_MS)
      const sessions = this.#sessions()
      // The newest: they move.
      const id = sessions.at(-1 - (turn % Math.min(20, sessions.length || 1)))
      if (id === undefined) continue
      const types = await this.#typesOf(id)
      if (types !== null) this.#readings.push({ sessionId: id, types })
    }
  }

  async #typesOf(id: SessionId): Promise<string[] | null> {
    try {
      const text = `select fact->>'type' as type from wearon.facts where session_id = $1 order by seq`
      return (await this.#sql.query<{ type: string }>(text, [id])).map(({ type }) => type)
    } catch {
      // The database is being restarted.
      return null
    }
  }
}
