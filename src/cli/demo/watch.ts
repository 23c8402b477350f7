import { Fact } from '../../events/fact.ts'
import type { SessionId } from '../../events/ids.ts'
import { sessionTable } from '../../machines/compile.ts'
import { advance, type Snapshot, sessionState, unborn } from '../../machines/snapshot.ts'
import type { SessionAnswer } from '../answers.ts'
import type { Client } from '../client.ts'

/** A session as its live facts tell it. */
export interface Watched {
  readonly state: SessionAnswer['state'] | 'not yet seen'
  readonly tries: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly closed: boolean
}

/** Follows the live stream of facts and knows where each session stands. */
export class Watch {
  readonly #facts = new Map<SessionId, Fact[]>()
  readonly #snapshots = new Map<SessionId, Snapshot>()
  readonly #onFact: (fact: Fact) => void
  #closedAll: { readonly ids: readonly SessionId[]; readonly resolve: () => void } | null = null

  constructor(onFact: (fact: Fact) => void) {
    this.#onFact = onFact
  }

  /** Rejects when the stream breaks off before the signal aborts. */
  async follow(client: Client, signal: AbortSignal): Promise<void> {
    for await (const event of client.events('/v1/events?after=0', signal)) this.#take(Fact.parse(event))
  }

  facts(id: SessionId): readonly Fact[] {
    return this.#facts.get(id) ?? []
  }

  of(id: SessionId): Watched {
    const snapshot = this.#snapshots.get(id)
    const facts = this.facts(id)
    const closed = this.#isClosed(id)
    return {
      state: snapshot === undefined ? 'not yet seen' : sessionState(snapshot.state),
      tries: facts.filter(({ type }) => type === 'generation.started').length,
      startedAt: timeOf(facts[0]),
      endedAt: closed ? timeOf(facts.at(-1)) : null,
      closed,
    }
  }

  /** Resolves once all of these sessions are closed: nothing is owed any more. */
  closed(ids: readonly SessionId[]): Promise<void> {
    return new Promise((resolve) => {
      this.#closedAll = { ids, resolve }
      this.#check()
    })
  }

  #take(fact: Fact): void {
    const { sessionId: id } = fact
    const before = this.#snapshots.get(id) ?? unborn(sessionTable, id)
    this.#snapshots.set(id, advance(sessionTable, before, fact) ?? before)
    this.#facts.set(id, [...this.facts(id), fact])
    this.#onFact(fact)
    this.#check()
  }

  #check(): void {
    if (this.#closedAll?.ids.every((id) => this.#isClosed(id))) this.#closedAll.resolve()
  }

  #isClosed(id: SessionId): boolean {
    const snapshot = this.#snapshots.get(id)
    return snapshot !== undefined && (sessionTable.states.get(snapshot.state)?.closed ?? false)
  }
}

const timeOf = (fact: Fact | undefined): number | null => (fact === undefined ? null : Date.parse(fact.at))
