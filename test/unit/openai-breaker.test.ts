import { describe, expect, it } from 'vitest'
import { Breaker } from '../../src/adapters/openai/breaker.ts'
import { recordedEnvironment } from '../support/project-memory.ts'

const world = () => {
  const { environment, clock, errors } = recordedEnvironment()
  return { breaker: new Breaker(environment), clock, errors }
}

/** The gate lets a probe through, and the call is made. */
const probe = (breaker: Breaker) => {
  expect(breaker.take()).toBe(true)
  const entry = breaker.enter()
  if (!('probe' in entry) || !entry.probe) throw new Error('no probe')
  return entry
}

describe('the breaker', () => {
  it('lets everything through while nothing is wrong', () => {
    const { breaker } = world()
    for (let call = 0; call < 3; call++) expect([breaker.take(), breaker.enter()]).toEqual([true, { probe: false }])
    expect(breaker.waitMs()).toBe(0)
  })

  it('lets nothing through once the account was refused, and pages somebody', () => {
    const { breaker, errors } = world()
    breaker.refused({ probe: false }, { code: 'quota_exhausted' })
    expect([breaker.take(), breaker.waitMs(), breaker.enter()]).toEqual([false, 30_000, { waitMs: 30_000 }])
    expect(errors).toEqual([{ alert: true, code: 'quota_exhausted', nextProbeMs: 30_000 }])
  })

  it('lets one probe through after a while, and the others wait for what comes of it', async () => {
    const { breaker, clock } = world()
    breaker.refused({ probe: false }, {})
    await clock.advance(30_000)
    const entry = probe(breaker)
    expect([breaker.take(), 'waitMs' in breaker.enter()]).toEqual([false, true])
    breaker.accepted(entry)
    expect([breaker.take(), breaker.enter(), breaker.waitMs()]).toEqual([true, { probe: false }, 0])
  })

  it('waits twice as long after each probe that is refused, up to ten minutes', async () => {
    const { breaker, clock, errors } = world()
    breaker.refused({ probe: false }, {})
    const waits: number[] = []
    for (let refusals = 0; refusals < 7; refusals++) {
      waits.push(breaker.waitMs())
      await clock.advance(breaker.waitMs())
      breaker.refused(probe(breaker), {})
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
    expect(errors).toHaveLength(8)
  })

  it('makes everybody wait when the provider asks for a pause, a minute at most, and pages nobody', async () => {
    const { breaker, clock, errors } = world()
    breaker.limited()
    expect([breaker.take(), breaker.waitMs(), breaker.enter()]).toEqual([false, 10_000, { waitMs: 10_000 }])
    await clock.advance(10_000)
    expect([breaker.take(), breaker.enter()]).toEqual([true, { probe: false }])
    breaker.limited(3_600_000)
    expect(breaker.waitMs()).toBe(60_000)
    expect(errors).toEqual([])
  })

  it('is neither opened further nor closed by what was under way when it opened', () => {
    const { breaker, errors } = world()
    for (let call = 0; call < 5; call++) breaker.refused({ probe: false }, {})
    breaker.accepted({ probe: false })
    expect([breaker.waitMs(), breaker.take(), errors.length]).toEqual([30_000, false, 1])
  })

  it('lets the next probe through when one ends without a call', async () => {
    const { breaker, clock } = world()
    breaker.refused({ probe: false }, {})
    await clock.advance(30_000)
    expect([breaker.take(), breaker.take()]).toEqual([true, false])
    await clock.advance(30_000)
    expect(breaker.take()).toBe(true)
  })
})
