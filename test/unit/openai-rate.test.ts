import { expect, it } from 'vitest'
import { both } from '../../src/machines/runtime/both.ts'
import { EffectPool, type Slot } from '../../src/machines/runtime/effect-pool.ts'
import { RateShare } from '../../src/machines/runtime/rate-share.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const PER_MINUTE = 300
const MINUTE_MS = 60_000
const SESSIONS = 400
const CALL_MS = 2_000

it('starts at most 300 tries in any minute over two processes, tries that are repeated among them', async () => {
  const clock = new VirtualClock()
  const starts: number[] = []
  // Each of two processes holds half of the partitions; every try fails once and is offered again.
  for (const name of ['a', 'b']) {
    const rate = new RateShare(PER_MINUTE, clock)
    rate.setShare(1 / 2)
    const pool = new EffectPool(100, both(undefined, rate), clock)
    const offer = (id: string, again: boolean): void => {
      const grant = (slot: Slot) => {
        starts.push(clock.now())
        void clock.sleep(CALL_MS).then(() => {
          slot.release()
          if (again) offer(`${id} again`, false)
        })
      }
      pool.offer({ id, tenant: 'user', since: 0, suspect: false, grant })
    }
    for (let session = 0; session < SESSIONS / 2; session++) offer(`${name}${session}`, true)
  }
  await clock.advance(4 * MINUTE_MS)
  expect(starts).toHaveLength(2 * SESSIONS)
  const busiest = Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + MINUTE_MS).length))
  expect(busiest).toBeLessThanOrEqual(PER_MINUTE)
  expect(busiest).toBeGreaterThan(PER_MINUTE * 0.9)
})

it('spends no request’s token while the other gate is shut', async () => {
  const clock = new VirtualClock()
  const rate = new RateShare(PER_MINUTE, clock)
  rate.setShare(1)
  await clock.advance(10_000)
  let shut = true
  const gate = both({ take: () => !shut, waitMs: () => (shut ? 5_000 : 0) }, rate)
  for (let asked = 0; asked < 100; asked++) expect(gate.take()).toBe(false)
  expect(gate.waitMs()).toBe(5_000)
  shut = false
  expect(gate.take()).toBe(true)
})
