import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { SessionId } from '../src/events/ids.ts'
import type { Try } from '../src/projections/evidence.ts'
import { fateOf } from '../test/support/quick-provider.ts'
import { type TryAnswer, TryAsked } from './messages.ts'

/** A try as the provider saw it. `endedAt`: when it was answered, or when whoever asked hung up. */
export interface SeenTry extends Try {
  readonly endedAt: number | null
  readonly committedAt: number
}

/** The provider that all processes ask: it outlives them, so it knows of every call that began. */
export class Provider {
  readonly #tries: { -readonly [Key in keyof SeenTry]: SeenTry[Key] }[] = []
  readonly #asked = new Set<SessionId>()
  readonly #effectMs: readonly [min: number, max: number]
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  /** @param effectMs how long a try takes. */
  constructor(effectMs: readonly [min: number, max: number]) {
    this.#effectMs = effectMs
  }

  get tries(): readonly SeenTry[] {
    return this.#tries
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { session, ...asked } = TryAsked.parse(JSON.parse(await text(request)))
    const sessionId = SessionId.parse(session)
    const seen: SeenTry = { sessionId, ...asked, startedAt: Date.now(), endedAt: null }
    const noted = { ...seen }
    this.#tries.push(noted)
    response.on('close', () => {
      noted.endedAt = Date.now()
    })
    const [min, max] = this.#effectMs
    await sleep(min + (crc32(sessionId) % (max - min + 1)))
    response.end(JSON.stringify(this.#outcome(sessionId)))
  }

  #outcome(sessionId: SessionId): TryAnswer {
    const fate = fateOf(sessionId)
    if (fate === 'refused') return { code: 'moderation_blocked' }
    const first = !this.#asked.has(sessionId)
    this.#asked.add(sessionId)
    return { code: fate === 'down once' && first ? 'provider_unavailable' : null }
  }
}
