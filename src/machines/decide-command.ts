import { assertNever } from '../events/assert-never.ts'
import type { Ask, Command } from '../events/command.ts'
import type { NewFact } from '../events/fact.ts'
import type { Sender } from '../events/generation.ts'
import { tenantOf } from '../events/owner.ts'
import type { Settlement } from '../events/refund.ts'
import { isoTime } from '../events/text.ts'
import { type Circumstances, type Decision, isGenerating, refundRequested } from './decision.ts'
import type { Snapshot } from './snapshot.ts'

type AskOf<Name extends Ask['command']> = Extract<Ask, { command: Name }>

/** Which facts a command brings about: who may ask for what, and in which state of the session. */
export const decideCommand = (session: Snapshot, command: Command, { nowMs }: Circumstances): Decision => {
  switch (command.command) {
    case 'generation.request': {
      // Of a session that is known already the machine does not accept it: a duplicate.
      return { facts: [requested(command)] }
    }
    case 'generation.reject':
      if (session.state !== 'new') return { refused: `bad task for a known session: ${command.issues.join('; ')}` }
      return { facts: [{ type: 'generation.rejected', data: { issues: command.issues } }, refundRequested] }
    case 'generation.cancel':
      if (session.state === 'new') return { refused: 'cancels a session that is not known' }
      if (!maySteer(session, command.by)) return { refused: 'comes from someone who has no say over the session' }
      if (!isGenerating(session)) return { ignored: 'too_late' }
      return { facts: [{ type: 'generation.cancelled', data: { by: command.by } }, refundRequested] }
    case 'generation.import':
    case 'generation.give_up':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over rows' }
      if (session.state !== 'new') return { ignored: 'too_late' }
      return { facts: command.command === 'generation.import' ? imported(command) : givenUp(command) }
    case 'generation.hand_back':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over the producers’ list' }
      if (session.state === 'new') return { refused: 'names a session that is not known' }
      return { facts: [{ type: 'generation.released', data: { by: command.by } }] }
    case 'generation.note_hand_back':
      return decideHandedBack(session, command)
    case 'refund.approve':
      return decideApproval(session, command)
    case 'refund.retry':
    case 'refund.settle':
      if (command.by.role === 'tenant') return { refused: 'comes from someone who has no say over refunds' }
      if (session.state === 'new') return { refused: 'names a session that is not known' }
      if (!isOwed(session)) return { ignored: 'too_late' }
      return { facts: [command.command === 'refund.retry' ? retryAtOnce(session, nowMs) : settlement(command)] }
    default:
      return assertNever(command)
  }
}

const requested = ({ task, source, original }: Extract<Command, { command: 'generation.request' }>): NewFact => {
  const { owner, imageUrls, prompt, taskId, createdAt } = task
  const kept = { ...(createdAt !== null && { createdAt }), ...(original !== undefined && { original }) }
  return { type: 'generation.requested', data: { owner, imageUrls, prompt, taskId, source, ...kept } }
}

/** The note of another release of the session says nothing of this one. */
const decideHandedBack = (
  { state, seq }: Snapshot,
  { release, withdrawn }: AskOf<'generation.note_hand_back'>,
): Decision => {
  if (state !== 'released' || seq !== release) return { ignored: 'too_late' }
  if (withdrawn === null) return { facts: [{ type: 'generation.handed_back', data: {} }] }
  return { facts: [{ type: 'generation.withdrawn', data: withdrawn }, refundRequested] }
}

const imported = ({ end, owner, evidence, requestedAt }: AskOf<'generation.import'>): NewFact[] => [
  { type: 'generation.imported', data: { end, owner, evidence, requestedAt } },
]

/** The row is all that there is of the session: its credit goes back like that of a task that cannot be read. */
const givenUp = ({ owner }: AskOf<'generation.give_up'>): NewFact[] => [
  { type: 'generation.rejected', data: { code: 'task_lost', owner, issues: ['no task came for the session row'] } },
  refundRequested,
]

const decideApproval = (session: Snapshot, { by, why, bulk }: AskOf<'refund.approve'>): Decision => {
  if (by.role !== 'operator') return { refused: 'comes from someone who has no say over refunds' }
  if (session.state === 'new') return { refused: 'names a session that is not known' }
  if (session.state !== 'failed.imported') return { ignored: 'too_late' }
  // A user's refunds of that time name no session: each has to be looked at by a person.
  if (bulk && session.context.owner?.channel !== 'b2b') return { refused: 'approves sessions of users in bulk' }
  return { facts: [{ type: 'refund.approved', data: { by, why } }] }
}

const retryAtOnce = ({ state, context }: Snapshot, nowMs: number): NewFact => {
  const data = { tries: Math.max(1, context.refundTries), error: 'tried again on request', retryAt: isoTime(nowMs) }
  return { type: state === 'failed.escalated' ? 'refund.escalated' : 'refund.retrying', data }
}

/** Only asked for: what the ledger's record says afterwards becomes the fact that settles. */
const settlement = ({ by, how, why }: Settlement): NewFact => ({
  type: 'refund.settlement_requested',
  data: { by, how, why },
})

const isOwed = ({ state }: Snapshot): boolean => state === 'failed.owed' || state === 'failed.escalated'

const maySteer = (session: Snapshot, by: Sender): boolean =>
  by.role !== 'tenant' || (session.context.owner !== null && by.tenant === tenantOf(session.context.owner))
