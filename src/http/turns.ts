/** What one turn of the event loop works on at most while requests wait, so that the next connection is let in soon. */
const REQUESTS_A_TURN = 16

/**
 * The order of requests while connections come. Node lets one connection in per turn of its event loop (libuv/libuv#3696), and
 * a turn in which a thousand connections ask takes a tenth of a second: a crowd would stand at the door for longer than its clients
 * wait. So from the first newcomer until a turn without one, each turn begins one request, in the order in which they came; what
 * waits then follows. Bounded by the connections that a server takes.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #newcomer = false
  #turning = false

  /** A connection was let in. */
  connected(): void {
    this.#newcomer = true
    this.#nextTurn()
  }

  /** At once when nobody waits. */
  begin(request: () => void): void {
    if (!this.#turning) return request()
    this.#waiting.push(request)
  }

  #nextTurn(): void {
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#turning = false
    const begun = this.#waiting.splice(0, this.#newcomer ? 1 : REQUESTS_A_TURN)
    if (this.#newcomer || this.#waiting.length > 0) this.#nextTurn()
    this.#newcomer = false
    for (const request of begun) request()
  }
}
