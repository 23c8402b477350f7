import { describe, it } from 'vitest'
import type { Ask } from '../../../src/events/command.ts'
import type { Sender } from '../../../src/events/generation.ts'
import type { Owner } from '../../../src/events/owner.ts'
import { isoTime } from '../../../src/events/text.ts'
import {
  failed,
  imported,
  operator,
  refundRequested,
  requested,
  runtime,
  START_MS,
  sessionId,
  store,
  tenant,
  user,
} from '../../support/facts.ts'
import { given } from '../../support/given.ts'

const asked = (command: Ask) => ({ kind: 'command', command }) as const
const ofRow = (owner: Owner = store, by: Sender = operator) => ({ sessionId, by, owner, requestId: 'req_1' })

const isImported = (end: 'completed' | 'failed', by: Sender = operator) =>
  asked({ command: 'generation.import', ...ofRow(store, by), end, evidence: 'its row', requestedAt: isoTime(START_MS) })
const isGivenUp = (by: Sender = runtime) => asked({ command: 'generation.give_up', ...ofRow(user, by) })
const isApproved = (bulk = false, by: Sender = operator) =>
  asked({ command: 'refund.approve', sessionId, by, why: 'the ledger shows no refund', bulk })

const ofUser = { type: 'generation.imported', data: { end: 'failed', owner: user, evidence: '' } } as const
const approval = { type: 'refund.approved', data: { by: operator, why: 'the ledger shows no refund' } } as const

describe('an import', () => {
  it.each(['completed', 'failed'] as const)('of a row that %s opens a session that owes nothing', (end) => {
    given()
      .when(isImported(end))
      .then({
        type: 'generation.imported',
        data: { end, owner: store, evidence: 'its row', requestedAt: isoTime(START_MS) },
      })
  })

  it('of a session that is known changes nothing', () => {
    given(requested()).when(isImported('failed')).thenIgnored('too_late')
    given(imported('failed')).when(isImported('completed')).thenIgnored('too_late')
  })

  it('is not asked for by a tenant', () =>
    given()
      .when(isImported('failed', tenant(store)))
      .thenRefused(/no say/))
})

describe('giving up a session row for which no task came', () => {
  it('fails the session with a code of its own, and its credit is looked at', () =>
    given()
      .when(isGivenUp())
      .then(
        {
          type: 'generation.rejected',
          data: { code: 'task_lost', owner: user, issues: ['no task came for the session row'] },
        },
        refundRequested(),
      ))

  it('comes too late when the task came before', () => given(requested()).when(isGivenUp()).thenIgnored('too_late'))

  it('is not asked for by a tenant', () =>
    given()
      .when(isGivenUp(tenant(user)))
      .thenRefused(/no say/))
})

describe('an approval', () => {
  it('opens the refund of an imported failure', () => given(imported('failed')).when(isApproved()).then(approval))

  it('in bulk is for stores alone', () => {
    given(imported('failed')).when(isApproved(true)).then(approval)
    given(ofUser).when(isApproved(true)).thenRefused(/bulk/)
    given(ofUser).when(isApproved()).then(approval)
  })

  it('a second time changes nothing', () =>
    given(imported('failed'), approval).when(isApproved()).thenIgnored('too_late'))

  it('is not for sessions of ours, unknown ones, or anyone but an operator', () => {
    given(requested(), failed('expired', 0), refundRequested()).when(isApproved()).thenIgnored('too_late')
    given()
      .when(isApproved())
      .thenRefused(/not known/)
    given(imported('failed'))
      .when(isApproved(false, tenant(store)))
      .thenRefused(/no say/)
  })
})
