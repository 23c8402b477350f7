import { Worker } from 'node:worker_threads'
import type { Ask, Told, ToldError } from './embedded-messages.ts'

const THREAD = new URL('./embedded-thread.ts', import.meta.url)
/** What the thread says by itself once its database is open. */
const OPENED = 0

/** An answer of the database: `code` is its SQLSTATE. */
class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
  readonly code: string | undefined

  constructor({ message, stack, code }: ToldError) {
    super(message)
    this.code = code
    if (stack !== undefined) this.stack = stack
  }
}

/** The thread with the database, and what it was asked and has not answered yet. It holds the process up only while it is asked. */
export class EmbeddedThread {
  readonly #worker: Worker
  readonly #asked = new Map<number, PromiseWithResolvers<readonly unknown[]>>()
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()
  #lastId = OPENED
  #opened = false
  #closed = false

  private constructor(folder: string | null) {
    this.#worker = new Worker(THREAD, { workerData: folder })
    this.#worker.on('message', (told: Told) => this.#take(told))
    this.#worker.once('error', (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))))
    this.#worker.once('exit', () => this.#end(new Error('the database has ended')))
  }

  /** Rejects when the folder holds nothing that can be opened. */
  static async open(folder: string | null): Promise<EmbeddedThread> {
    const thread = new EmbeddedThread(folder)
    await thread.#answerTo(OPENED)
    thread.#opened = true
    return thread
  }

  ask(what: Ask): Promise<readonly unknown[]> {
    if (this.#closed) return Promise.reject(new Error('the database is closed'))
    this.#lastId += 1
    const answer = this.#answerTo(this.#lastId)
    this.#worker.postMessage({ id: this.#lastId, what })
    return answer
  }

  /** Calls back for each notification on the channel. */
  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(onNotify)
    if (listeners.size === 1) await this.ask({ ask: 'listen', channel })
    return async () => {
      listeners.delete(onNotify)
      if (listeners.size === 0 && !this.#closed) await this.ask({ ask: 'unlisten', channel })
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    const closed = this.ask({ ask: 'close' })
    this.#closed = true
    await closed
  }

  #answerTo(id: number): Promise<readonly unknown[]> {
    const answer = Promise.withResolvers<readonly unknown[]>()
    this.#asked.set(id, answer)
    this.#worker.ref()
    return answer.promise
  }

  #take(told: Told): void {
    if ('channel' in told) {
      for (const listener of this.#listeners.get(told.channel) ?? []) listener(told.payload)
      return
    }
    const asked = this.#asked.get(told.id)
    this.#asked.delete(told.id)
    if (this.#asked.size === 0) this.#worker.unref()
    if ('error' in told) asked?.reject(new EmbeddedError(told.error))
    else asked?.resolve(told.rows)
  }

  /** What was asked hears of it. An end that nobody ordered is the process's too, since nothing works without the database. */
  #end(reason: Error): void {
    for (const { reject } of this.#asked.values()) reject(reason)
    this.#asked.clear()
    const ordered = this.#closed || !this.#opened
    this.#closed = true
    if (!ordered) throw reason
  }
}
