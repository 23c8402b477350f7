import type { Fact, FactType } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { SessionTable, StateName } from './compile.ts'
import { advance, type Snapshot, unborn } from './snapshot.ts'

/** Why a recorded history is none to this machine, or another one. */
export type ChangeKind =
  /** The machine does not accept the fact where the session stands. */
  | 'refused'
  /** A fact before it is missing. */
  | 'gap'
  /** It accepts the fact, and the session stands elsewhere than was recorded. */
  | 'differs'

/** The first fact of a session at which this machine goes another way than was recorded. */
export interface Change {
  readonly sessionId: SessionId
  readonly seq: number
  readonly fact: FactType
  readonly kind: ChangeKind
  /** Where the session was recorded to stand after the fact; null when nobody wrote it down. */
  readonly was: string | null
  /** Where it stands by this machine: after the fact, or before one that it refuses; null when it ended long before. */
  readonly now: StateName | null
}

/** What came of a fact: a change; the session with it, closed when no fact can follow; or nothing, when it is left out. */
export type Refolded =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'moved'; readonly session: Snapshot; readonly closed: boolean }
  | { readonly kind: 'left_out' }

/** Sessions that are open at one moment; the memory of a process ends some way above this. */
const OPEN_MAX = 100_000
/** Ended sessions that are remembered, so that a fact behind the end is told from one of a session that began before. */
const ENDED_MAX = 100_000

/** More sessions are open at once than are kept in memory. */
export class TooManyOpen extends Error {
  override readonly name = 'TooManyOpen'

  constructor() {
    super(`more than ${OPEN_MAX} sessions are open at once: fold a part of them (--sample)`)
  }
}

/**
 * Folds recorded facts of many sessions, in the order of the archive, and tells of each session that comes out otherwise. Of the
 * open ones it keeps all, of the ended ones the last where they ended.
 */
export class Refold {
  readonly #table: SessionTable
  readonly #whole: boolean
  readonly #open = new Map<SessionId, Snapshot>()
  readonly #ended = new Map<SessionId, StateName>()
  readonly #told = new Set<SessionId>()
  #sessions = 0

  /** `whole`: the facts come from the first one on. Otherwise a session whose first fact is not among them is left out. */
  constructor(table: SessionTable, { whole }: { whole: boolean }) {
    this.#table = table
    this.#whole = whole
  }

  /** How many were folded. */
  get sessions(): number {
    return this.#sessions
  }

  /** Those that no fact has closed yet. */
  get open(): readonly Snapshot[] {
    return [...this.#open.values()]
  }

  /** `recorded`: where the session was seen to stand after the fact; null when nobody wrote it down. @throws TooManyOpen */
  take(fact: Fact, recorded: string | null): Refolded {
    const { sessionId: id, seq } = fact
    if (this.#told.has(id)) return LEFT_OUT
    const session = this.#open.get(id) ?? (seq === 1 && !this.#ended.has(id) ? this.#begin(id) : null)
    if (session === null) return this.#behindItsEnd(fact, recorded)
    const next = seq === session.seq + 1 ? advance(this.#table, session, fact) : null
    if (next === null) return this.#change(fact, seq > session.seq + 1 ? 'gap' : 'refused', recorded, session.state)
    if (recorded !== null && recorded !== next.state) return this.#change(fact, 'differs', recorded, next.state)
    return this.#keep(next)
  }

  #begin(id: SessionId): Snapshot {
    this.#sessions++
    return unborn(this.#table, id)
  }

  /** A fact of a session that is not open: it ended by this machine, or began before the facts that are folded. */
  #behindItsEnd(fact: Fact, recorded: string | null): Refolded {
    const ended = this.#ended.get(fact.sessionId) ?? null
    return ended === null && !this.#whole ? LEFT_OUT : this.#change(fact, 'refused', recorded, ended)
  }

  #keep(session: Snapshot): Refolded {
    const closed = this.#table.states.get(session.state)?.closed === true
    if (closed) {
      this.#open.delete(session.id)
      remember(this.#ended, session.id, session.state)
    } else this.#open.set(session.id, session)
    if (this.#open.size > OPEN_MAX) throw new TooManyOpen()
    return { kind: 'moved', session, closed }
  }

  #change({ sessionId, seq, type }: Fact, kind: ChangeKind, was: string | null, now: StateName | null): Refolded {
    this.#open.delete(sessionId)
    this.#told.add(sessionId)
    return { kind: 'change', change: { sessionId, seq, fact: type, kind, was, now } }
  }
}

const LEFT_OUT = { kind: 'left_out' } as const

/** The oldest one makes room. */
const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void => {
  map.set(key, value)
  const [oldest] = map.size > ENDED_MAX ? map.keys() : []
  if (oldest !== undefined) map.delete(oldest)
}
