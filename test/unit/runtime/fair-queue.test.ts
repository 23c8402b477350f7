import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueue, type Queued } from '../../../src/machines/runtime/fair-queue.ts'

const item = (tenant: string, since: number, id = `${tenant}${since}`): Queued => ({ id, tenant, since })

const queueOf = (...items: Queued[]): FairQueue<Queued> => {
  const queue = new FairQueue<Queued>()
  for (const one of items) queue.add(one)
  return queue
}

const drain = (queue: FairQueue<Queued>): string[] => {
  const served: string[] = []
  for (let next = queue.next(); next !== undefined; next = queue.next()) served.push(next.id)
  return served
}

describe('a fair queue', () => {
  it('serves a store with one session before the second of a store with 10,000', () => {
    const queue = queueOf(...Array.from({ length: 10_000 }, (_, since) => item('big', since)), item('small', 99_999))
    expect([queue.next()?.id, queue.next()?.id]).toEqual(['big0', 'small99999'])
    expect(queue.size).toBe(9_999)
  })

  it('serves tenants in turn, and the oldest of each first', () => {
    const queue = queueOf(item('a', 3), item('a', 1), item('b', 9), item('a', 2), item('c', 5), item('b', 8))
    expect(drain(queue)).toEqual(['a1', 'b8', 'c5', 'a2', 'b9', 'a3'])
  })

  it('lets nobody jump the line by coming back', () => {
    const queue = queueOf(item('a', 1), item('b', 1))
    expect(queue.next()?.id).toBe('a1')
    queue.add(item('a', 0))
    expect(drain(queue)).toEqual(['b1', 'a0'])
  })

  it('does not serve what was removed, and gives its turn to the tenant’s next', () => {
    const queue = queueOf(item('a', 1), item('a', 2), item('b', 1))
    queue.remove('a1')
    queue.remove('nobody')
    expect(queue.size).toBe(2)
    expect(drain(queue)).toEqual(['a2', 'b1'])
  })

  it('serves an item that was put in again once, where it is now', () => {
    const queue = queueOf(item('a', 1, 'x'), item('a', 2, 'y'), item('a', 3, 'x'))
    expect(queue.size).toBe(2)
    expect(drain(queue)).toEqual(['y', 'x'])
  })

  it('has nothing when all of it was removed', () => {
    const queue = queueOf(item('a', 1), item('b', 1))
    queue.remove('a1')
    queue.remove('b1')
    expect([queue.size, queue.next()]).toEqual([0, undefined])
  })

  it('serves everyone once, and every tenant within the first round', () => {
    const anyItems = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(50)), { maxLength: 40 })
    fc.assert(
      fc.property(anyItems, (pairs) => {
        const items = pairs.map(([tenant, since], index) => item(tenant, since, `${tenant}-${since}-${index}`))
        const served = drain(queueOf(...items))
        const tenants = new Set(items.map(({ tenant }) => tenant))
        expect(new Set(served)).toEqual(new Set(items.map(({ id }) => id)))
        expect(served).toHaveLength(items.length)
        expect(new Set(served.slice(0, tenants.size).map((id) => id.slice(0, 1)))).toEqual(tenants)
        for (const tenant of tenants) expect(agesOf(served, tenant)).toEqual(agesOf(served, tenant).toSorted(ascending))
      }),
      { numRuns: 50 },
    )
  })
})

const ascending = (one: number, other: number) => one - other

const agesOf = (served: readonly string[], tenant: string): number[] =>
  served.filter((id) => id.startsWith(tenant)).map((id) => Number(id.split('-')[1]))
