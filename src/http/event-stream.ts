import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Clock } from '../machines/ports/environment.ts'

export interface StreamLimits {
  /** Streams open at once in this process. */
  readonly streamsMax: number
  /** What may wait for a slow client, in bytes; the rest it gets from the archive, at its own pace. */
  readonly streamBufferBytes: number
  /** How often an idle stream says that it lives: proxies cut what is silent for a minute. */
  readonly heartbeatMs: number
  /** How long a client may take nothing of what waits for it before it is disconnected; it can resume. */
  readonly stalledMs: number
}

/** How long a client should wait before it connects again, ms. */
const RECONNECT_MS = 2_000

/** One client's server-sent events (WHATWG HTML, 9.2), bounded in what may wait for it. */
export class EventStream {
  readonly #response: ServerResponse
  readonly #limits: StreamLimits
  readonly #clock: Clock
  readonly #closed = new AbortController()

  constructor(response: ServerResponse, limits: StreamLimits, clock: Clock) {
    this.#response = response
    this.#limits = limits
    this.#clock = clock
    response.once('close', () => this.#closed.abort())
    // A write that meets a connection which is just breaking; `close` follows.
    response.on('error', () => this.#closed.abort())
    if (response.destroyed) this.#closed.abort()
  }

  /** Fires when the client is gone, or was cut off, or the server ends its streams. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Begins the answer and the heartbeat. */
  open(): void {
    this.#response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would otherwise hold events back.
      'X-Accel-Buffering': 'no',
    })
    this.#write(`retry: ${RECONNECT_MS}\n\n`)
    void this.#beat()
  }

  /** More waits for the client than may: send nothing before it is `roomy`. */
  get full(): boolean {
    return this.#response.writableLength > this.#limits.streamBufferBytes
  }

  send(id: number, json: string): void {
    this.#write(`id: ${id}\ndata: ${json}\n\n`)
  }

  /** Resolves when the client took what was sent, or is gone. One that takes nothing for long is cut off. */
  async roomy(): Promise<void> {
    if (!this.#response.writableNeedDrain || this.closed.aborted) return
    const waited = new AbortController()
    void this.#clock.sleep(this.#limits.stalledMs, waited.signal).then(() => {
      if (!waited.signal.aborted) this.cut()
    })
    try {
      await once(this.#response, 'drain', { signal: this.closed })
    } catch (error) {
      if (!this.closed.aborted) throw error
    } finally {
      waited.abort()
    }
  }

  /** Ends the stream in order. */
  end(): void {
    if (this.closed.aborted) return
    this.#closed.abort()
    this.#response.end()
  }

  /** Drops the connection with all that waits for it. */
  cut(): void {
    this.#closed.abort()
    this.#response.destroy()
  }

  #write(text: string): void {
    if (this.closed.aborted) return
    this.#response.write(text)
  }

  async #beat(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#limits.heartbeatMs, this.closed)
      if (this.closed.aborted) return
      this.#write(': \n\n')
    }
  }
}

/** The streams that are open: how many, and how to end them all. */
export class OpenStreams {
  readonly #limit: number
  readonly #open = new Set<EventStream>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#open.size
  }

  get full(): boolean {
    return this.size >= this.#limit
  }

  add(stream: EventStream): void {
    this.#open.add(stream)
    stream.closed.addEventListener('abort', () => this.#open.delete(stream), { once: true })
    if (stream.closed.aborted) this.#open.delete(stream)
  }

  /** Ends every stream in order; clients come back by themselves, to whoever serves then. */
  endAll(): void {
    for (const stream of this.#open) stream.end()
  }
}
