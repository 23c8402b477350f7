import { describe, expect, it } from 'vitest'
import { partitionOf, SessionId } from '../../../src/events/ids.ts'
import { tenantOf } from '../../../src/events/owner.ts'
import { otherSessionId, sessionId, store, user } from '../../support/facts.ts'

describe('a session', () => {
  // A log that was written with other partitions could not be read any more: these numbers never change.
  it.each([
    [sessionId, 64, 26],
    [otherSessionId, 64, 32],
    [SessionId.parse(sessionId.toUpperCase()), 64, 26],
    [sessionId, 1, 0],
  ])('%s lies of %i partitions in number %i, for good', (id, partitions, partition) => {
    expect(partitionOf(id, partitions)).toBe(partition)
  })

  it('is spread evenly over the partitions', () => {
    const counts = new Map<number, number>()
    for (let index = 0; index < 6_400; index++) {
      const id = SessionId.parse(`0190b5f8-0000-7000-8000-${index.toString(16).padStart(12, '0')}`)
      counts.set(partitionOf(id, 64), (counts.get(partitionOf(id, 64)) ?? 0) + 1)
    }
    expect(counts.size).toBe(64)
    expect(Math.max(...counts.values())).toBeLessThan(200)
  })

  it('belongs to one tenant: a store or a user', () => {
    expect([tenantOf(store), tenantOf(user)]).toEqual([`store:${store.storeId}`, `user:${user.userId}`])
  })
})
