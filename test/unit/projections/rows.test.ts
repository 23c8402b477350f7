import { describe, expect, it } from 'vitest'
import { failures } from '../../../src/events/codes.ts'
import type { NewFact } from '../../../src/events/fact.ts'
import type { Projection } from '../../../src/projections/projection.ts'
import { refunds } from '../../../src/projections/refunds.ts'
import { patchedSession, sessions } from '../../../src/projections/sessions.ts'
import { viewOfFacts } from '../../../src/projections/views.ts'
import * as f from '../../support/facts.ts'

/** `after(sessions, requested(), started())`: what one batch of these facts sets. */
const after = (projection: Projection, ...facts: readonly NewFact[]) =>
  projection.patches(f.history(...facts).map((fact, index) => ({ ordinal: index + 1, fact })))

const setBy = (projection: Projection, ...facts: readonly NewFact[]) => after(projection, ...facts)[0]?.set

describe('sessions', () => {
  it('are queued, with all that a missing row is made from', () => {
    expect(setBy(sessions, f.requested({ owner: f.user, prompt: 'red' }))).toMatchObject({
      status: 'queued',
      state: 'queued',
      attempts: 0,
      channel: 'b2c',
      owner_id: f.user.userId,
      prompt: 'red',
    })
  })

  it('hold the result of a completed session', () => {
    expect(setBy(sessions, f.requested(), f.started(), f.completed())).toMatchObject({
      status: 'completed',
      state: 'completed',
      attempts: 1,
      generated_image_url: f.result.url,
      result_path: f.result.path,
      processing_time_ms: f.result.durationMs,
      input_tokens: 900,
      output_tokens: 6_240,
      estimated_cost_usd: 0.206_58,
    })
  })

  it('go back to queued while a try waits', () => {
    const facts = [f.requested(), f.started(), f.deferred('rate_limited', 1, f.START_MS)]
    expect(setBy(sessions, ...facts)).toMatchObject({ status: 'queued', state: 'queued', attempts: 1 })
  })

  it('tell the person only a sentence of ours', () => {
    for (const [fact, code] of [
      [f.failed('moderation_blocked'), 'moderation_blocked'],
      [f.cancelled(), 'cancelled'],
      [f.withdrawn(), 'withdrawn'],
    ] as const) {
      const error_message = failures[code].message
      expect(setBy(sessions, f.requested(), f.started(), fact)).toMatchObject({
        status: 'failed',
        failure_code: code,
        error_message,
      })
    }
    expect(setBy(sessions, f.rejected('prompt: is too long'))).toEqual({
      status: 'failed',
      state: 'failed',
      failure_code: 'invalid_task',
      error_message: failures.invalid_task.message,
    })
  })

  it('never take the status refunded', () => {
    const facts = [f.requested(), f.failed('expired', 0), f.refundRequested(), f.issued()]
    expect(setBy(sessions, ...facts)).toMatchObject({ status: 'failed', state: 'refunded' })
    expect(setBy(sessions, f.issued())).toEqual({ state: 'refunded' })
  })

  it('merge what one batch says of a session, under the last fact that changed anything', () => {
    const patches = after(sessions, f.requested(), f.started(), f.failed('internal'), f.refundRequested(), f.waived())
    expect(patches).toHaveLength(1)
    expect(patches[0]).toMatchObject({ sessionId: f.sessionId, seq: 3 })
  })

  it('leave the row of an imported session as it was', () => {
    expect(setBy(sessions, f.imported('failed'))).toEqual({ state: 'failed' })
  })
})

describe('a session row', () => {
  it('that someone else ended never reopens, and keeps their words when it is withdrawn', () => {
    const row = { status: 'failed', error_message: 'Store uninstalled' } as const
    expect(patchedSession(row, { status: 'processing', state: 'processing' })).toMatchObject({
      status: 'failed',
      state: 'processing',
    })
    const patch = setBy(sessions, f.withdrawn()) ?? {}
    expect(patchedSession(row, patch)).toEqual({ ...row, state: 'failed', failure_code: 'withdrawn' })
  })

  it('that is still going is failed by a withdrawal, with our words', () => {
    const patch = setBy(sessions, f.withdrawn('given_back')) ?? {}
    expect(patchedSession({ status: 'processing' }, patch)).toMatchObject({
      status: 'failed',
      error_message: failures.withdrawn.message,
    })
  })

  it('loses the words of a failure when its image came after all', () => {
    const row = { status: 'failed', error_message: 'Failed to queue job' } as const
    expect(patchedSession(row, setBy(sessions, f.completed()) ?? {})).toMatchObject({
      status: 'completed',
      error_message: null,
    })
  })
})

describe('a view of facts', () => {
  it('is nothing without facts, and says how it stands otherwise', () => {
    expect(viewOfFacts([])).toBeNull()
    expect(viewOfFacts(f.history(f.requested(), f.started()))).toMatchObject({
      sessionId: f.sessionId,
      tenant: `store:${f.store.storeId}`,
      state: 'processing',
      attempts: 1,
      requestId: 'req_1',
    })
    expect(viewOfFacts(f.history(f.rejected('no pictures')))).toMatchObject({
      channel: null,
      tenant: null,
      state: 'failed',
    })
  })
})

describe('refunds', () => {
  const lost = [f.requested(), f.started(), f.failed('internal')]

  it('hold no refund for a session that completed', () => {
    expect(setBy(refunds, f.requested(), f.started(), f.completed())).toMatchObject({ outcome: 'completed' })
    expect(setBy(refunds, f.requested(), f.completed())).not.toHaveProperty('state')
    expect(after(refunds, f.started(), f.deferred('internal', 1, f.START_MS))).toEqual([])
  })

  it('are owed from the moment of the request', () => {
    const set = setBy(refunds, ...lost, f.refundRequested())
    expect(set).toMatchObject({ outcome: 'failed', state: 'owed', tries: 0, channel: 'b2b' })
  })

  it.each([
    ['owed', f.retrying(2, f.START_MS, 'no balance'), { state: 'owed', tries: 2, last_error: 'no balance' }],
    ['escalated', f.escalated(9, f.START_MS, 'no balance'), { state: 'escalated', tries: 9 }],
    [
      'issued',
      f.issued(),
      { state: 'issued', payer_kind: 'store', payer_id: f.store.storeId, credits: 1, how: 'paid' },
    ],
    ['waived', f.waived('overage'), { state: 'waived', waiver_reason: 'overage' }],
    ['settled', f.settled(), { state: 'settled', settled_by: 'ada', settled_how: 'bank transfer' }],
  ] as const)('are %s', (_state, fact, columns) => {
    expect(setBy(refunds, ...lost, f.refundRequested(), fact)).toMatchObject(columns)
  })

  it('of an imported session are owed once a person approved it', () => {
    expect(setBy(refunds, f.imported('failed'))).not.toHaveProperty('state')
    expect(setBy(refunds, f.imported('failed'), f.approved())).toMatchObject({ outcome: 'failed', state: 'owed' })
  })
})
