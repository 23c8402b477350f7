import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EffectPool, EVERYTHING, type Slot } from '../../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../../src/machines/runtime/rate-share.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A pool with what it granted, in order, and the slots that are still held. */
const poolOf = (concurrency: number, perMinute: number | null = null) => {
  const clock = new VirtualClock()
  const rate = new RateShare(perMinute, clock)
  rate.setShare(1)
  const pool = new EffectPool(concurrency, rate, clock)
  const granted: string[] = []
  const held = new Map<string, Slot>()
  const offer = (id: string, { tenant = 'a', since = 0, suspect = false } = {}) =>
    pool.offer({
      id,
      tenant,
      since,
      suspect,
      grant: (slot) => {
        granted.push(id)
        held.set(id, slot)
      },
    })
  const release = (id: string) => {
    const slot = held.get(id)
    held.delete(id)
    slot?.release()
  }
  return { clock, pool, granted, held, offer, release }
}

describe('a pool of effects', () => {
  it('runs so many at once, and the next when one ends', () => {
    const { pool, granted, offer, release } = poolOf(2)
    for (const since of [1, 2, 3, 4]) offer(`${since}`, { since })
    expect([granted, pool.running, pool.waiting]).toEqual([['1', '2'], 2, 2])
    release('1')
    expect([granted, pool.running, pool.waiting]).toEqual([['1', '2', '3'], 2, 1])
  })

  it('serves tenants in turn, and the oldest of each first', () => {
    const { granted, offer, release } = poolOf(1)
    offer('running')
    offer('a2', { since: 2 })
    offer('a1', { since: 1 })
    offer('b9', { tenant: 'b', since: 9 })
    for (const id of ['running', 'a1', 'b9']) release(id)
    expect(granted).toEqual(['running', 'a1', 'b9', 'a2'])
  })

  it('gives a slot at once only when one is free and nobody waits', () => {
    const { pool, granted, offer, release } = poolOf(2)
    const slot = pool.claim('a')
    expect([slot === null, pool.running]).toEqual([false, 1])
    for (const since of [1, 2]) offer(`${since}`, { since })
    expect([pool.claim('a'), granted]).toEqual([null, ['1']])
    release('1')
    slot?.release()
    expect([granted, pool.running]).toEqual([['1', '2'], 1])
    pool.close()
    expect(pool.claim('a')).toBeNull()
  })

  it('gives no slot at once without its share of the rate, or beside a suspect', async () => {
    const { clock, pool } = poolOf(2, 60)
    expect(pool.claim('a')).toBeNull()
    await clock.advance(1_500)
    expect([pool.claim('a') === null, pool.claim('a')]).toEqual([false, null])
    const alone = poolOf(2)
    alone.offer('suspect', { suspect: true })
    expect([alone.granted, alone.pool.claim('a')]).toEqual([['suspect'], null])
  })

  it('gives no slot at once before a suspect that waits to be alone', () => {
    const { pool, offer } = poolOf(3)
    offer('first')
    offer('suspect', { suspect: true })
    expect([pool.waiting, pool.claim('a')]).toEqual([1, null])
  })

  it('counts a slot that is released twice once', () => {
    const { pool, granted, held, offer } = poolOf(1)
    for (const since of [1, 2, 3]) offer(`${since}`, { since })
    const slot = held.get('1')
    slot?.release()
    slot?.release()
    expect([granted, pool.running]).toEqual([['1', '2'], 1])
  })

  it('does not grant what was taken back', () => {
    const { pool, granted, offer, release } = poolOf(1)
    for (const since of [1, 2, 3]) offer(`${since}`, { since })
    pool.retract('2')
    release('1')
    expect([granted, pool.waiting]).toEqual([['1', '3'], 0])
  })

  it('starts nothing once it is closed', () => {
    const { pool, granted, offer, release } = poolOf(1)
    offer('1')
    offer('2')
    pool.close()
    release('1')
    offer('3')
    expect([granted, pool.running]).toEqual([['1'], 0])
  })

  it('holds back a tenant, whose work then goes on in its order', () => {
    const { pool, granted, offer, release } = poolOf(1)
    offer('running')
    offer('a2', { since: 2 })
    offer('a1', { since: 1 })
    pool.hold({ all: false, tenants: new Set(['a']) })
    offer('b1', { tenant: 'b', since: 9 })
    offer('a0', { since: 0 })
    expect([pool.waiting, pool.claim('a')]).toEqual([4, null])
    for (const id of ['running', 'b1']) release(id)
    expect([granted, pool.running, pool.claim('a')]).toEqual([['running', 'b1'], 0, null])
    pool.retract('a0')
    offer('a3', { since: 3 })
    pool.hold({ all: false, tenants: new Set(['c']) })
    for (const id of ['a1', 'a2']) release(id)
    expect([granted, pool.waiting]).toEqual([['running', 'b1', 'a1', 'a2', 'a3'], 0])
  })

  it('holds everything back, lets what runs end, and goes on within its limit', () => {
    const { pool, granted, offer, release } = poolOf(2)
    offer('running')
    pool.hold(EVERYTHING)
    for (const since of [1, 2, 3]) offer(`${since}`, { since, tenant: `${since}` })
    release('running')
    expect([granted, pool.claim('z')]).toEqual([['running'], null])
    pool.hold({ all: false, tenants: new Set() })
    expect([granted, pool.running, pool.waiting]).toEqual([['running', '1', '2'], 2, 1])
  })

  it('spends no share of the rate on what is held back', async () => {
    const { clock, pool, granted, offer } = poolOf(9, 60)
    await clock.advance(10_000)
    pool.hold({ all: false, tenants: new Set(['a']) })
    for (const id of ['1', '2', '3', '4']) offer(id)
    for (const id of ['5', '6', '7']) offer(id, { tenant: 'b' })
    expect(granted).toHaveLength(3)
  })

  it('bears a grant that gives its slot back at once', () => {
    const { pool } = poolOf(1)
    let grants = 0
    const offer = (id: string) =>
      pool.offer({
        id,
        tenant: 'a',
        since: 0,
        suspect: false,
        grant: (slot) => {
          grants++
          slot.release()
          if (grants < 1_000) offer(`${grants}`)
        },
      })
    offer('0')
    expect([grants, pool.running, pool.waiting]).toEqual([1_000, 0, 0])
  })
})

describe('a suspect', () => {
  it('waits until nothing else runs, and then runs alone', () => {
    const { granted, offer, release } = poolOf(3)
    offer('1')
    offer('2')
    offer('suspect', { suspect: true })
    offer('3')
    release('1')
    expect(granted).toEqual(['1', '2'])
    release('2')
    expect(granted).toEqual(['1', '2', 'suspect'])
    offer('4')
    expect(granted).toHaveLength(3)
    release('suspect')
    expect(granted).toEqual(['1', '2', 'suspect', '3', '4'])
  })

  it('leaves a full round to the others before the next one', () => {
    const { granted, offer, release } = poolOf(2)
    for (const id of ['s1', 's2']) offer(id, { suspect: true })
    for (const since of [1, 2, 3]) offer(`${since}`, { since })
    release('s1')
    expect(granted).toEqual(['s1', '1', '2'])
    release('1')
    expect(granted).toHaveLength(3)
    release('2')
    expect(granted).toEqual(['s1', '1', '2', 's2'])
    release('s2')
    expect(granted).toEqual(['s1', '1', '2', 's2', '3'])
  })

  it('follows another at once when nobody else waits', () => {
    const { granted, offer, release } = poolOf(2)
    for (const id of ['s1', 's2']) offer(id, { suspect: true })
    expect(granted).toEqual(['s1'])
    release('s1')
    expect(granted).toEqual(['s1', 's2'])
  })
})

describe('a request rate', () => {
  it('spaces out what starts, without anyone asking again', async () => {
    const { clock, granted, offer } = poolOf(100, 60)
    for (let id = 0; id < 10; id++) offer(`${id}`)
    expect(granted).toEqual([])
    await clock.advance(5_500)
    expect(granted).toHaveLength(5)
    await clock.advance(60_000)
    expect(granted).toHaveLength(10)
    expect(clock.sleeping).toBe(0)
  })

  it('lets nothing start in a process without partitions, and all of it once it has some', async () => {
    const clock = new VirtualClock()
    const rate = new RateShare(60, clock)
    const pool = new EffectPool(10, rate, clock)
    let grants = 0
    pool.offer({ id: '1', tenant: 'a', since: 0, suspect: false, grant: () => grants++ })
    await clock.advance(10_000)
    expect(grants).toBe(0)
    rate.setShare(1)
    await clock.advance(3_000)
    expect(grants).toBe(1)
  })
})

const move = fc.oneof(
  fc.record({ kind: fc.constant('offer' as const), tenant: fc.constantFrom('a', 'b'), suspect: fc.boolean() }),
  fc.record({ kind: fc.constant('release' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('retract' as const), which: fc.nat(30) }),
)

describe('whatever is offered, released and taken back', () => {
  it('never runs too many, never anything beside a suspect, and in the end everything once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(move, { maxLength: 60 }), (concurrency, moves) => {
        const { pool, granted, held, offer, release } = poolOf(concurrency)
        const retracted = new Set<string>()
        const check = () => {
          expect(held.size).toBe(pool.running)
          expect(held.size).toBeLessThanOrEqual([...held.keys()].some((id) => id.startsWith('s')) ? 1 : concurrency)
        }
        const offered: string[] = []
        for (const next of moves) {
          if (next.kind === 'offer') {
            const id = `${next.suspect ? 's' : 'n'}${offered.length}`
            offered.push(id)
            offer(id, { tenant: next.tenant, suspect: next.suspect, since: offered.length })
          } else if (next.kind === 'release') release([...held.keys()][next.which] ?? '')
          else {
            const id = offered[next.which] ?? ''
            if (!granted.includes(id)) retracted.add(id)
            pool.retract(id)
          }
          check()
        }
        while (held.size > 0) {
          release([...held.keys()][0] ?? '')
          check()
        }
        expect(pool.waiting).toBe(0)
        expect(new Set(granted)).toEqual(new Set(offered.filter((id) => !retracted.has(id))))
        expect(new Set(granted).size).toBe(granted.length)
      }),
      { numRuns: 100 },
    )
  })
})
