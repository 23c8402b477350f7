import { type Fact, factVersions, type NewFact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import { isoTime } from '../../events/text.ts'
import type { SessionTable } from '../compile.ts'
import { type Burial, letterId } from '../ports/dead-letters.ts'
import { type Commit, FORMAT, type InboxMessage, type Step, type StepRef } from '../ports/event-log.ts'
import { advance, type Snapshot, type Tombstone, unborn } from '../snapshot.ts'

/** What is known of a session before a step: where it stands, that it is closed, or nothing. */
export type Known = Snapshot | Tombstone | undefined

export const isTombstone = (known: Known): known is Tombstone => known !== undefined && 'end' in known

/** One step in the making: facts are offered to the machines, and what they accept is staged until it is committed. */
export class StepDraft {
  readonly #table: SessionTable
  readonly #known: ReadonlyMap<SessionId, Known>
  /** When all of its facts happened: the step is one moment. */
  readonly #at: string
  readonly #staged = new Map<SessionId, Snapshot>()
  readonly #facts: Fact[] = []
  readonly #deadLetters: Burial[] = []

  constructor(table: SessionTable, known: ReadonlyMap<SessionId, Known>, nowMs: number) {
    this.#table = table
    this.#known = known
    this.#at = isoTime(nowMs)
  }

  /** The session as this step has moved it so far; a closed one as its tombstone. */
  session(id: SessionId): Snapshot | Tombstone {
    return this.#staged.get(id) ?? this.#known.get(id) ?? unborn(this.#table, id)
  }

  /**
   * Offers facts in order, up to the first that the machine does not accept. Answers whether all were accepted.
   * @param traceparent of a session that is traced.
   */
  offer(
    session: Snapshot,
    facts: readonly NewFact[],
    requestId: string | null,
    traceparent: string | undefined = session.context.traceparent,
  ): boolean {
    let current = session
    for (const { type, data } of facts) {
      const seq = current.seq + 1
      // The pair of type and data is a NewFact's; TypeScript cannot see that it still is one after taking it apart.
      const fact = {
        id: `${session.id}/${seq}`,
        type,
        version: factVersions[type],
        sessionId: session.id,
        seq,
        at: this.#at,
        requestId,
        ...(traceparent !== undefined && { traceparent }),
        data,
      } as Fact
      const next = advance(this.#table, current, fact)
      if (next === null) return false
      this.#facts.push(fact)
      this.#staged.set(session.id, next)
      current = next
    }
    return true
  }

  /** Puts a message of this partition's inbox among the dead letters. */
  bury(partition: number, { position, source, bytes }: InboxMessage, reason: string): void {
    const id = letterId(partition, bytes)
    this.#deadLetters.push({ id, partition, position, reason, source, bytes, at: this.#at })
  }

  get facts(): readonly Fact[] {
    return this.#facts
  }

  hasMoved(id: SessionId): boolean {
    return this.#staged.has(id)
  }

  /** Every session that this step moved, as it stands after it. */
  get moved(): Iterable<Snapshot> {
    return this.#staged.values()
  }

  /** The whole as a commit behind `head`, or null when there is nothing to make durable. */
  commit(place: {
    partition: number
    epoch: number
    head: StepRef | null
    id: string
    inbox: string | null
  }): Commit | null {
    if (this.#facts.length === 0 && place.inbox === null && this.#deadLetters.length === 0) return null
    const snapshots: Snapshot[] = []
    const tombstones: Tombstone[] = []
    for (const session of this.#staged.values()) {
      if (this.#isClosed(session)) tombstones.push({ id: session.id, seq: session.seq, end: session.state })
      else snapshots.push(session)
    }
    const step = this.#facts.length === 0 ? null : this.#step(place)
    return {
      head: place.head?.id ?? null,
      step,
      inbox: place.inbox,
      snapshots,
      tombstones,
      deadLetters: this.#deadLetters,
    }
  }

  #step(place: { partition: number; epoch: number; head: StepRef | null; id: string }): Step {
    return {
      format: FORMAT,
      partition: place.partition,
      number: (place.head?.number ?? 0) + 1,
      id: place.id,
      previous: place.head?.id ?? null,
      epoch: place.epoch,
      at: this.#at,
      facts: this.#facts,
    }
  }

  #isClosed(session: Snapshot): boolean {
    return this.#table.states.get(session.state)?.closed ?? false
  }
}
