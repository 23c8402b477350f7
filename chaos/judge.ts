import type { SessionId } from '../src/events/ids.ts'
import { sessionTable } from '../src/machines/compile.ts'
import type { Evidence } from '../src/projections/evidence.ts'
import { type Violation, violations } from '../src/projections/invariants.ts'
import { fateOf } from '../test/support/quick-provider.ts'
import type { Committed } from './ownership.ts'
import type { SeenTry } from './provider.ts'
import type { PlannedSession } from './sessions.ts'

/** Everything that was seen of a run, from outside of the processes. */
export interface Seen {
  readonly sessions: readonly PlannedSession[]
  /** What the database shows. */
  readonly shown: Evidence
  readonly tries: readonly SeenTry[]
  readonly readings: Evidence['readings']
  readonly committed: readonly Committed[]
  /** When each life stood still or had ended. */
  readonly silences: readonly { readonly life: string; readonly from: number; readonly to: number }[]
  /** When the log lost its last second; null when it never did. ms since the Unix epoch. */
  readonly lostAt: number | null
}

/** Judges the promises of the design once everything is at rest. Empty when all hold. */
export const judge = (seen: Seen): Violation[] => {
  const since = seen.lostAt ?? 0
  // A step that was lost with the log's tail had its tries: what they did is found again, and they count no more.
  const tries = seen.tries.filter(({ committedAt }) => committedAt > since)
  const commits = ownedCommits(seen.committed.filter(({ at }) => at > since))
  const evidence: Evidence = { ...seen.shown, tries, readings: seen.readings, commits }
  return [
    ...violations(sessionTable, evidence, { atRest: true }),
    ...endedOtherwise(seen),
    ...overlappingTries(tries, seen.silences),
  ]
}

/** A later step of a partition never carries an earlier epoch: whoever commits is the last one who was granted it. */
const ownedCommits = (committed: readonly Committed[]): Evidence['commits'] =>
  [...Map.groupBy(committed, ({ partition }) => partition)].flatMap(([partition, commits]) => {
    let owner = 0
    return commits
      .toSorted((a, b) => a.step - b.step)
      .map(({ epoch }) => {
        owner = Math.max(owner, epoch)
        return { partition, epoch, owner }
      })
  })

/** Sessions that failed, or did not fail, for another reason than their own. */
const endedOtherwise = ({ sessions, shown }: Seen): Violation[] =>
  sessions.flatMap((session) => {
    const types: string[] = (shown.facts.get(session.id) ?? []).map(({ type }) => type)
    if (types.length === 0 || mayEnd(session).some((end) => types.includes(end))) return []
    const what = `it should have come to ${mayEnd(session).join(' or ')}: ${types.join(', ')}`
    return [{ promise: 'restarting harms nobody', about: session.id, what }]
  })

const mayEnd = ({ id, broken, cancelAfterMs }: PlannedSession): string[] => {
  if (broken || fateOf(id) === 'refused') return ['refund.issued']
  return cancelAfterMs === null ? ['generation.completed'] : ['generation.completed', 'refund.issued']
}

/** Two tries of one session run at once only when the first one's process was dead or stood still as the second began. */
const overlappingTries = (tries: readonly SeenTry[], silences: Seen['silences']): Violation[] => {
  const found: Violation[] = []
  const last = new Map<SessionId, SeenTry>()
  for (const one of tries) {
    const before = last.get(one.sessionId)
    last.set(one.sessionId, one)
    if (before === undefined || (before.endedAt !== null && before.endedAt <= one.startedAt)) continue
    const life = before.owner.split('/', 1)[0]
    const silent = silences.some(
      ({ life: other, from, to }) => other === life && from <= one.startedAt && one.startedAt <= to,
    )
    if (silent) continue
    const what = `attempt ${one.attempt} began under ${one.owner} while attempt ${before.attempt} ran under ${before.owner}, which lives`
    found.push({ promise: 'nothing is done twice where it costs money', about: one.sessionId, what })
  }
  return found
}
