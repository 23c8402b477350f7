import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import type { SessionState, SessionTable, StateName } from './compile.ts'
import type { SessionContext } from './session.ts'

/** A session as it stands after its fact number `seq`: plain JSON, kept by the log beside the journal. */
export interface Snapshot {
  readonly id: SessionId
  readonly seq: number
  readonly state: StateName
  readonly context: SessionContext
}

/** All that is kept of a closed session: that it existed, and how it ended. Bounded in number by the log. */
export interface Tombstone {
  readonly id: SessionId
  readonly seq: number
  readonly end: StateName
}

/** A session nobody has heard of yet. */
export const unborn = (table: SessionTable, id: SessionId): Snapshot => ({ id, seq: 0, ...table.initial })

/** The session after a fact, or null when the machine does not accept it in this state: then it is no fact. */
export const advance = (table: SessionTable, session: Snapshot, fact: Fact): Snapshot | null => {
  const branch = table.states
    .get(session.state)
    ?.on.get(fact.type)
    ?.find(({ guard }) => guard === null || guard({ context: session.context, event: fact }))
  if (branch === undefined) return null
  let { context } = session
  for (const assign of branch.assigns) context = { ...context, ...assign({ context, event: fact }) }
  return { id: session.id, seq: fact.seq, state: branch.target, context }
}

/** Folds the whole history of a session. @throws when the facts are no history: a gap, or one that the machine refuses. */
export const replay = (table: SessionTable, id: SessionId, facts: readonly Fact[]): Snapshot =>
  facts.reduce(
    (session, fact) => {
      const next = fact.seq === session.seq + 1 ? advance(table, session, fact) : null
      if (next === null)
        throw new Error(`fact ${fact.id} (${fact.type}) does not follow ${session.state} at ${session.seq}`)
      return next
    },
    unborn(table, id),
  )

/** What people see of a state: its first part; whoever is to work on it, a session that leaves waits. */
export const sessionState = (state: StateName): SessionState =>
  state === 'released' || state === 'handed_back' ? 'queued' : (state.split('.')[0] as SessionState)
