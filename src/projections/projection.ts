import type { FactOf, FactType } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { ArchivedFact, RowPatch } from './store.ts'

/**
 * What each fact changes in a session's row: the columns to set, or null for a fact that changes nothing in it. A fact that
 * is not named here is a compile error.
 */
export type Changes<Columns> = { readonly [Type in FactType]: (fact: FactOf<Type>) => Columns | null }

/** A table that answers a question, one row per session. */
export interface Projection {
  readonly name: string
  /** The patches that bring the rows from one position to the next: at most one per session, in no order. */
  patches(facts: readonly ArchivedFact[]): RowPatch[]
}

/** A projection from its changes; what several facts of a session set is merged, the later one last. */
export const projection = <Columns extends object>(name: string, changes: Changes<Columns>): Projection => ({
  name,
  patches: (facts) => {
    const patches = new Map<SessionId, RowPatch>()
    for (const { fact } of facts) {
      const change = (changes[fact.type] as (of: typeof fact) => Columns | null)(fact)
      if (change === null) continue
      const earlier = patches.get(fact.sessionId)?.set
      patches.set(fact.sessionId, { sessionId: fact.sessionId, seq: fact.seq, set: { ...earlier, ...change } })
    }
    return [...patches.values()]
  },
})
