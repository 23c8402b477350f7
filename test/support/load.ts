import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../src/cli/client.ts'
import { SessionId } from '../../src/events/ids.ts'

const RETRY_MS = 20

/** Who orders: a few accounts, so that each is charged and refunded many times. */
export const users = Array.from({ length: 3 }, () => ({ channel: 'b2c', user_id: randomUUID() }))
export const everyone = [
  ...users,
  { channel: 'b2b', store_id: randomUUID() },
  { channel: 'b2b', store_id: randomUUID(), charge: 'shopper', shopper_email: 'lea@example.com' },
]

/** A producer that orders and publishes one session after the other, each until it is acknowledged, whatever happens to the server. */
export class Producers {
  readonly acknowledged = new Set<SessionId>()
  readonly #client: () => Client
  readonly #picture: string
  readonly #accounts: readonly object[]
  readonly #stop = new AbortController()
  readonly #running: Promise<void>[]

  /** @param client the server as it runs now. */
  constructor(count: number, accounts: readonly object[], client: () => Client, picture: string) {
    this.#accounts = accounts
    this.#client = client
    this.#picture = picture
    this.#running = Array.from({ length: count }, (_, index) => this.#produce(index))
  }

  /** Nothing new begins; resolves when all that began is acknowledged. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #produce(index: number): Promise<void> {
    for (let turn = index; !this.#stop.signal.aborted; turn++) {
      const sessionId = SessionId.parse(randomUUID())
      const account = this.#accounts[turn % this.#accounts.length]
      const task = {
        task_id: randomUUID(),
        session_id: sessionId,
        image_urls: [this.#picture],
        request_id: `req_${sessionId}`,
        created_at: new Date().toISOString(),
        ...account,
      }
      await this.#untilDone('/v1/rehearsal/orders', task)
      await this.#untilDone('/v1/generations', task)
      this.acknowledged.add(sessionId)
    }
  }

  /** 409 to an order is the answer to one whose first answer was lost. */
  async #untilDone(path: string, body: object): Promise<void> {
    for (;;) {
      const status = await post(this.#client().url + path, body)
      if (status === 201 || status === 202 || status === 409) return
      if (status !== null && status < 500) throw new Error(`${path} answered ${status}`)
      await sleep(RETRY_MS)
    }
  }
}

/** The status of the answer; null when there was none. */
const post = async (url: string, body: object): Promise<number | null> => {
  const headers = { 'content-type': 'application/json' }
  try {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    await response.arrayBuffer()
    return response.status
  } catch {
    // The server was killed: whoever asks has to ask again.
    return null
  }
}
