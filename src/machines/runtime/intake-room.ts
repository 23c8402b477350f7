import type { Clock } from '../ports/environment.ts'
import type { Taken } from './intake.ts'

/**
 * Messages that all partitions of a process fold at once. As long as there are not many more of them than free slots, a new session
 * starts in the step that it comes in, and nobody's memory holds what the inbox holds as well.
 */
const MESSAGES_MAX = 200

/** A step that takes longer waits for somebody else (the archive, its node of the log), so it holds up no other partition. */
const STAY_MAX_MS = 250

interface Stay {
  readonly messages: number
  since: number
}

interface Waiting {
  readonly stay: Stay
  readonly enter: () => void
}

/** Paces the intake of all partitions of a process: a crowd of messages is worked off in small lots, not held all at once. */
export class IntakeRoom {
  readonly #clock: Clock
  /** Oldest first. */
  readonly #inside = new Set<Stay>()
  /** At most one for each partition. */
  readonly #line: Waiting[] = []
  #messages = 0
  #watching = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does the work on what was taken once there is room, first come, first in. Without a message there always is. */
  async run<Value>({ arrived, poison }: Pick<Taken, 'arrived' | 'poison'>, work: () => Promise<Value>): Promise<Value> {
    const messages = arrived.length + poison.length
    if (messages === 0) return work()
    const stay = { messages, since: 0 }
    if (this.#line.length === 0 && this.#fits(stay)) this.#enter(stay)
    else await this.#wait(stay)
    try {
      return await work()
    } finally {
      this.#leave(stay)
      this.#letIn()
    }
  }

  #wait(stay: Stay): Promise<void> {
    void this.#watch()
    return new Promise((enter) => this.#line.push({ stay, enter }))
  }

  /** More than fit come in alone. */
  #fits({ messages }: Stay): boolean {
    return this.#messages === 0 || this.#messages + messages <= MESSAGES_MAX
  }

  #enter(stay: Stay): void {
    stay.since = this.#clock.now()
    this.#inside.add(stay)
    this.#messages += stay.messages
  }

  #leave(stay: Stay): void {
    if (this.#inside.delete(stay)) this.#messages -= stay.messages
  }

  #letIn(): void {
    for (let first = this.#line[0]; first !== undefined && this.#fits(first.stay); first = this.#line[0]) {
      this.#line.shift()
      this.#enter(first.stay)
      first.enter()
    }
  }

  /** While somebody waits: who is inside for too long counts no more. */
  async #watch(): Promise<void> {
    if (this.#watching) return
    this.#watching = true
    do {
      await this.#clock.sleep(STAY_MAX_MS)
      const cameBefore = this.#clock.now() - STAY_MAX_MS
      for (const stay of this.#inside) if (stay.since <= cameBefore) this.#leave(stay)
      this.#letIn()
    } while (this.#line.length > 0)
    this.#watching = false
  }
}
