import { describe, it } from 'vitest'
import type { Ask } from '../../../src/events/command.ts'
import type { Sender } from '../../../src/events/generation.ts'
import type { Input } from '../../../src/machines/decision.ts'
import * as f from '../../support/facts.ts'
import { given } from '../../support/given.ts'

const { sessionId, operator } = f
const asks = (command: Ask): Input => ({ kind: 'command', command })
const handBack = (by: Sender = operator) => asks({ command: 'generation.hand_back', sessionId, by })
const note = (release: number, withdrawn: Extract<Ask, { release: number }>['withdrawn'] = null) =>
  asks({ command: 'generation.note_hand_back', sessionId, release, withdrawn })

const leaving = [f.requested(), f.released()]
const away = [...leaving, f.handedBack()]
const tried = [f.requested(), f.started(), f.deferred('rate_limited', 1, f.START_MS)]

describe('handing back', () => {
  it('lets a session go that nobody tried', () => {
    given(f.requested()).when(handBack()).then(f.released())
  })

  it('lets none go that runs, was tried or has ended', () => {
    for (const facts of [[f.requested(), f.started()], tried, leaving, away, [f.requested(), f.cancelled()]])
      given(...facts)
        .when(handBack())
        .thenRefusedByMachine()
  })

  it('is for operators, and for sessions that are known', () => {
    given(f.requested())
      .when(handBack({ role: 'tenant', tenant: 'store:1' }))
      .thenRefused(/no say/)
    given()
      .when(handBack())
      .thenRefused(/not known/)
  })

  it('is done once the task lies in the list, as the note of this release says', () => {
    given(...leaving)
      .when(note(2))
      .then(f.handedBack())
    given(...leaving)
      .when(note(1))
      .thenIgnored('too_late')
    given(...away)
      .when(note(2))
      .thenIgnored('too_late')
    given(...away, f.requested(), f.released())
      .when(note(2))
      .thenIgnored('too_late')
  })

  it('fails what the platform does not want any more, like every other session', () => {
    const withdrawn = { why: 'row_failed', detail: 'as told' } as const
    given(...leaving)
      .when(note(2, withdrawn))
      .then(f.withdrawn(), f.refundRequested())
  })

  it('starts no try, and fails nothing for its age', () => {
    given(...leaving)
      .when({ kind: 'slot' })
      .thenIgnored('too_late')
    given(...leaving)
      .after(7_200_000)
      .when({ kind: 'timer' })
      .thenNothing()
  })
})
