/**
 * The order of requests while connections come. Node lets one connection in per turn of its event loop (libuv/libuv#3696), and
 * a turn in which a thousand others ask takes a tenth of a second: a crowd would stand at the door for longer than its clients
 * wait. So from the first newcomer on each turn begins one request, in the order in which they came, and the first turn
 * without a newcomer begins all that wait: no more than the server takes connections.
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

  /** At once when nobody came. */
  begin(request: () => void): void {
    if (this.#turning) this.#waiting.push(request)
    else request()
  }

  #nextTurn(): void {
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#turning = false
    const begun = this.#newcomer ? this.#waiting.splice(0, 1) : this.#waiting.splice(0)
    if (this.#newcomer) this.#nextTurn()
    this.#newcomer = false
    for (const request of begun) request()
  }
}
