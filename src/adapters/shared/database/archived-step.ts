import { closedBy, unsignedFact } from '../../../events/erasure.ts'
import type { Fact } from '../../../events/fact.ts'
import type { SessionId } from '../../../events/ids.ts'
import type { Step } from '../../../machines/ports/event-log.ts'

/** A step as the archive's functions take it: the facts without what signs the addresses of pictures. */
interface ArchivedStep extends Step {
  /** The whole facts where one was signed: a session that is not closed may still have to be restored with them. */
  readonly signed: readonly Fact[]
  /** The sessions that this step closes: nothing signed is kept of them. */
  readonly closed: readonly SessionId[]
}

/** What the database keeps of steps that are archived together. */
export const archivedSteps = (steps: readonly Step[]): ArchivedStep[] => {
  const closed = closedBy(steps.flatMap(({ facts }) => facts))
  return steps.map((step) => {
    const facts = step.facts.map(unsignedFact)
    return {
      ...step,
      facts,
      signed: step.facts.filter((fact, index) => fact !== facts[index] && !closed.has(fact.sessionId)),
      closed: [...closedBy(step.facts)].filter((id) => closed.has(id)),
    }
  })
}
