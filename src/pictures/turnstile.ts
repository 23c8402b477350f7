interface Waiting {
  readonly key: string
  readonly enter: () => void
}

/**
 * Lets so many in at once, and of one key only so many: whoever is slow holds up nobody of another key. First come, first in.
 * The line is as long as there are callers: they are bounded where sessions and requests are.
 */
export class Turnstile {
  readonly #limit: number
  readonly #perKey: number
  readonly #inside = new Map<string, number>()
  readonly #line: Waiting[] = []
  #total = 0

  constructor(limit: number, perKey = limit) {
    this.#limit = limit
    this.#perKey = perKey
  }

  /** Does the work once there is room. @throws what the work throws, or the signal's reason when it aborts before. */
  async run<Value>(key: string, work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    signal?.throwIfAborted()
    if (this.#hasRoom(key)) this.#enter(key)
    else await this.#wait(key, signal)
    try {
      return await work()
    } finally {
      this.#leave(key)
    }
  }

  #wait(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        this.#line.splice(this.#line.indexOf(waiting), 1)
        reject(signal?.reason as Error)
      }
      const enter = () => {
        signal?.removeEventListener('abort', give)
        resolve()
      }
      const waiting = { key, enter }
      signal?.addEventListener('abort', give, { once: true })
      this.#line.push(waiting)
    })
  }

  #hasRoom(key: string): boolean {
    return this.#total < this.#limit && (this.#inside.get(key) ?? 0) < this.#perKey
  }

  #enter(key: string): void {
    this.#total++
    this.#inside.set(key, (this.#inside.get(key) ?? 0) + 1)
  }

  #leave(key: string): void {
    this.#total--
    const left = (this.#inside.get(key) ?? 1) - 1
    if (left === 0) this.#inside.delete(key)
    else this.#inside.set(key, left)
    this.#letIn()
  }

  #letIn(): void {
    const at = this.#line.findIndex(({ key }) => this.#hasRoom(key))
    const [next] = at < 0 ? [] : this.#line.splice(at, 1)
    if (next === undefined) return
    this.#enter(next.key)
    next.enter()
  }
}
