import { setImmediate as breathe } from 'node:timers/promises'
import type { SessionId } from '../events/ids.ts'
import type { Environment } from '../machines/ports/environment.ts'
import { onAbort } from '../machines/runtime/signal.ts'
import type { Archive, ArchivedFact } from '../projections/store.ts'

/** Facts of one read: large enough to keep up, small enough not to hold the loop. */
const PAGE = 500
/** Facts that are handed on before others get their turn: to hundreds of clients, each fact is hundreds of writes. */
const SLICE = 16
/** The wait after a read that failed. */
const RETRY_MS = 1_000

/** A fact on its way to whoever listens: its JSON is made at most once, however many listen. */
export class FedFact {
  readonly ordinal: number
  readonly fact: ArchivedFact['fact']
  #json: string | undefined

  constructor({ ordinal, fact }: ArchivedFact) {
    this.ordinal = ordinal
    this.fact = fact
  }

  get json(): string {
    this.#json ??= JSON.stringify(this.fact)
    return this.#json
  }
}

type Listener = (fact: FedFact) => void

/** The one reader of the archive's growth, for all live streams of this process. Reads only while someone listens. */
export class FactFeed {
  readonly #archive: Pick<Archive, 'head' | 'read' | 'onGrowth'>
  readonly #env: Environment
  readonly #all = new Set<Listener>()
  readonly #bySession = new Map<SessionId, Set<Listener>>()
  /** Up to where it has read; null while nobody listens. */
  #position: number | null = null
  #starting: Promise<void> | null = null
  #reading = false
  #grew = false
  #stopListening = (): void => {}

  constructor(archive: Pick<Archive, 'head' | 'read' | 'onGrowth'>, env: Environment) {
    this.#archive = archive
    this.#env = env
  }

  /**
   * Hands over every fact behind the ordinal that it answers, in order, until the signal aborts. With a session, only its
   * facts. Rejects when the archive cannot say where it stands.
   */
  async follow(session: SessionId | null, listener: Listener, signal: AbortSignal): Promise<number> {
    for (;;) {
      const position = this.#position
      if (position !== null) {
        if (!signal.aborted) this.#listen(session, listener, signal)
        return position
      }
      this.#starting ??= this.#start().finally(() => {
        this.#starting = null
      })
      await this.#starting
    }
  }

  #listen(session: SessionId | null, listener: Listener, signal: AbortSignal): void {
    const listeners = session === null ? this.#all : (this.#bySession.get(session) ?? new Set())
    listeners.add(listener)
    if (session !== null) this.#bySession.set(session, listeners)
    onAbort(signal, () => {
      listeners.delete(listener)
      if (session !== null && listeners.size === 0) this.#bySession.delete(session)
    })
    // The archive may have grown while nobody was there to read for.
    if (this.#grew) void this.#pump()
  }

  async #start(): Promise<void> {
    // Listening first: what is archived between the two is read then.
    const stop = this.#archive.onGrowth(() => void this.#pump())
    try {
      this.#position = await this.#archive.head()
      this.#stopListening = stop
    } catch (error) {
      stop()
      throw error
    }
  }

  #stop(): void {
    this.#stopListening()
    this.#position = null
  }

  async #pump(): Promise<void> {
    this.#grew = true
    if (this.#reading) return
    this.#reading = true
    while (this.#grew && this.#position !== null) {
      if (this.#all.size === 0 && this.#bySession.size === 0) this.#stop()
      else await this.#readOn(this.#position)
    }
    this.#reading = false
  }

  async #readOn(position: number): Promise<void> {
    this.#grew = false
    try {
      const page = await this.#archive.read(position, PAGE)
      for (const [index, archived] of page.entries()) {
        if (index % SLICE === SLICE - 1) await breathe()
        this.#emit(new FedFact(archived))
        this.#position = archived.ordinal
      }
      if (page.length === PAGE) this.#grew = true
    } catch (error) {
      this.#env.logger.warn({ error }, 'live updates wait: the archive cannot be read')
      await this.#env.clock.sleep(RETRY_MS)
      this.#grew = true
    }
  }

  #emit(fact: FedFact): void {
    for (const listener of this.#all) listener(fact)
    for (const listener of this.#bySession.get(fact.fact.sessionId) ?? []) listener(fact)
  }
}
