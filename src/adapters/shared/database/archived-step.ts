import { closedBy, unsignedFact } from '../../../events/erasure.ts'
import type { Fact } from '../../../events/fact.ts'
import type { SessionId } from '../../../events/ids.ts'
import type { Step } from '../../../machines/ports/event-log.ts'

/** A step as the archive's functions take it: the facts without what signs the addresses of pictures. */
interface ArchivedStep extends Step {
  /** What signs them, where a session is not closed: it may still have to be restored. */
  readonly signed: readonly SignedPart[]
  /** The sessions that this step closes: nothing signed is kept of them. */
  readonly closed: readonly SessionId[]
}

/** The members of a fact's data that its unsigned form has not, or has otherwise. */
interface SignedPart {
  readonly sessionId: SessionId
  readonly seq: number
  readonly data: Readonly<Record<string, unknown>>
}

/** What the database keeps of steps that are archived together. */
export const archivedSteps = (steps: readonly Step[]): ArchivedStep[] => {
  const closed = closedBy(steps.flatMap(({ facts }) => facts))
  return steps.map((step) => {
    const facts = step.facts.map(unsignedFact)
    return {
      ...step,
      facts,
      signed: step.facts.flatMap((fact, index) => {
        const unsigned = facts[index]
        return unsigned === undefined || unsigned === fact || closed.has(fact.sessionId)
          ? []
          : [signedPart(fact, unsigned)]
      }),
      closed: [...closedBy(step.facts)].filter((id) => closed.has(id)),
    }
  })
}

const signedPart = ({ sessionId, seq, data }: Fact, unsigned: Fact): SignedPart => {
  const kept = new Map<string, unknown>(Object.entries(unsigned.data))
  return {
    sessionId,
    seq,
    data: Object.fromEntries(Object.entries(data).filter(([name, value]) => kept.get(name) !== value)),
  }
}
