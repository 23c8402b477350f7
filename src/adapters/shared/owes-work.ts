import { sessionTable } from '../../machines/compile.ts'
import type { Snapshot } from '../../machines/snapshot.ts'

/** Whether whoever owns the session's partition has something to do for it: what `open()` of a lease hands out. */
export const owesWork = (session: Snapshot): boolean => (sessionTable.states.get(session.state)?.owes ?? null) !== null
