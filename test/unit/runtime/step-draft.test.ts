import { describe, expect, it } from 'vitest'
import type { SessionId } from '../../../src/events/ids.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import { type Burial, letterId } from '../../../src/machines/ports/dead-letters.ts'
import type { InboxMessage } from '../../../src/machines/ports/event-log.ts'
import { isTombstone, type Known, StepDraft } from '../../../src/machines/runtime/step-draft.ts'
import type { Snapshot } from '../../../src/machines/snapshot.ts'
import {
  cancelled,
  completed,
  failed,
  issued,
  otherSessionId,
  refundRequested,
  requested,
  START_MS,
  sessionId,
  started,
} from '../../support/facts.ts'
import { given } from '../../support/given.ts'

const later = START_MS + 1_000
const draftOf = (known: readonly [SessionId, Known][] = []) => new StepDraft(sessionTable, new Map(known), later)
const place = { partition: 3, epoch: 7, head: { number: 41, id: 'before' }, id: 'this', inbox: null }

const snapshotIn = (draft: StepDraft, id = sessionId): Snapshot => {
  const session = draft.session(id)
  if (isTombstone(session)) throw new Error('closed')
  return session
}

const message: InboxMessage = { position: '9', source: 'inbox', bytes: Buffer.from('{') }
const letter: Burial = {
  ...message,
  id: letterId(3, message.bytes),
  partition: 3,
  reason: 'not JSON',
  at: '2026-01-15T10:00:01.000Z',
}

describe('a step in the making', () => {
  it('gives a session’s facts their place: id, seq, time and request', () => {
    const draft = draftOf([[sessionId, given(requested()).session]])
    expect(draft.offer(snapshotIn(draft), [started(), completed()], 'req_9')).toBe(true)
    const shared = { sessionId, at: '2026-01-15T10:00:01.000Z', requestId: 'req_9' }
    expect(draft.facts).toEqual([
      { ...started(), ...shared, version: 1, id: `${sessionId}/2`, seq: 2 },
      { ...completed(), ...shared, version: 2, id: `${sessionId}/3`, seq: 3 },
    ])
  })

  it('sees what it has already moved', () => {
    const draft = draftOf()
    expect(snapshotIn(draft)).toMatchObject({ seq: 0, state: 'new' })
    draft.offer(snapshotIn(draft), [requested()], 'req_1')
    expect(snapshotIn(draft)).toMatchObject({ seq: 1, state: 'queued' })
    draft.offer(snapshotIn(draft), [cancelled(), refundRequested()], 'req_1')
    expect(draft.facts.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect([draft.hasMoved(sessionId), draft.hasMoved(otherSessionId)]).toEqual([true, false])
    expect([...draft.moved].map(({ state }) => state)).toEqual(['failed.owed'])
  })

  it('takes nothing from a fact on that the machine does not accept', () => {
    const draft = draftOf()
    expect(draft.offer(snapshotIn(draft), [requested(), completed(), cancelled()], 'req_1')).toBe(false)
    expect(draft.facts.map(({ type }) => type)).toEqual(['generation.requested'])
    expect(draft.offer(snapshotIn(draft), [issued()], 'req_1')).toBe(false)
    expect(snapshotIn(draft)).toMatchObject({ seq: 1, state: 'queued' })
  })

  it('knows a closed session by its tombstone', () => {
    const tombstone = { id: sessionId, seq: 3, end: 'completed' as const }
    const session = draftOf([[sessionId, tombstone]]).session(sessionId)
    expect([session, isTombstone(session), isTombstone(undefined)]).toEqual([tombstone, true, false])
  })
})

describe('the commit of a step', () => {
  it('is nothing when nothing happened', () => expect(draftOf().commit(place)).toBeNull())

  it('may only move the inbox', () =>
    expect(draftOf().commit({ ...place, inbox: '17' })).toEqual({
      head: 'before',
      step: null,
      inbox: '17',
      snapshots: [],
      tombstones: [],
      deadLetters: [],
    }))

  it('may only bury a letter', () => {
    const draft = draftOf()
    draft.bury(3, message, 'not JSON')
    expect(draft.commit(place)).toMatchObject({ step: null, deadLetters: [letter] })
  })

  it('follows the head, and carries the epoch', () => {
    const draft = draftOf()
    draft.offer(snapshotIn(draft), [requested()], 'req_1')
    expect(draft.commit(place)?.step).toEqual({
      format: 1,
      partition: 3,
      number: 42,
      id: 'this',
      previous: 'before',
      epoch: 7,
      at: '2026-01-15T10:00:01.000Z',
      facts: draft.facts,
    })
    expect(draft.commit({ ...place, head: null })?.step).toMatchObject({ number: 1, previous: null })
  })

  it('keeps a snapshot of what is open, and a tombstone of what has closed', () => {
    const draft = draftOf([[sessionId, given(requested(), started()).session]])
    draft.offer(snapshotIn(draft), [completed()], 'req_1')
    draft.offer(snapshotIn(draft, otherSessionId), [requested()], 'req_2')
    const commit = draft.commit(place)
    expect(commit?.tombstones).toEqual([{ id: sessionId, seq: 3, end: 'completed' }])
    expect(commit?.snapshots.map(({ id, state }) => [id, state])).toEqual([[otherSessionId, 'queued']])
  })

  it('holds a session once, as it stands after the step', () => {
    const draft = draftOf()
    draft.offer(snapshotIn(draft), [requested(), started(), failed('internal'), refundRequested()], 'req_1')
    expect(draft.commit(place)).toMatchObject({ snapshots: [{ seq: 4, state: 'failed.owed' }], tombstones: [] })
  })
})
