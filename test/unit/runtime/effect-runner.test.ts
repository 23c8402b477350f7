import { expect, it } from 'vitest'
import { memoryLog } from '../../../src/adapters/memory/event-log.ts'
import { sessionTable } from '../../../src/machines/compile.ts'
import { defaultPolicy } from '../../../src/machines/policy.ts'
import type { PartitionLease } from '../../../src/machines/ports/event-log.ts'
import { EffectPool, type Slot } from '../../../src/machines/runtime/effect-pool.ts'
import { EffectRunner } from '../../../src/machines/runtime/effect-runner.ts'
import { RateShare } from '../../../src/machines/runtime/rate-share.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { result, sessionId, user } from '../../support/facts.ts'
import { snapshot } from '../../support/log-samples.ts'
import { noHistory } from '../../support/no-history.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A runner of a partition whose slots are free, and what it reported. */
const runner = async () => {
  const clock = new VirtualClock()
  const env = quietEnvironment(clock)
  const log = memoryLog({ partitions: 1, clock, newId: () => env.newId() })
  const stop = new AbortController()
  const lease = await new Promise<PartitionLease>((resolve) => {
    const onLease = (granted: PartitionLease) => {
      resolve(granted)
      return clock.sleep(Number.MAX_SAFE_INTEGER, stop.signal)
    }
    void log.own({ id: 'owner', onLease }, stop.signal)
    void clock.advance(10_000)
  })
  const rate = new RateShare(null, clock)
  const generations = new EffectPool(9, rate, clock)
  const slots: Slot[] = []
  const effects = new EffectRunner(
    lease,
    {
      env,
      log,
      generations,
      table: sessionTable,
      policy: defaultPolicy,
      history: noHistory,
      drainMs: 0,
      refunds: new EffectPool(1, rate, clock),
      effects: {
        generate: (_session, signal) => clock.sleep(1_000, signal).then(() => ({ kind: 'completed', result })),
        refund: () => Promise.reject(new Error('nothing is refunded here')),
      },
    },
    (_id, input, slot) => {
      if (input.kind === 'slot' && slot !== undefined) slots.push(slot)
    },
  )
  return { effects, generations, slots, stop }
}

const session = snapshot(sessionId)
const waiting = { ...session, context: { ...session.context, owner: user } }

it('never has two slots on their way for one session: its second try would run beside its first', async () => {
  const { effects, generations, slots, stop } = await runner()
  effects.offer(waiting, 'generation')
  // An outcome of an earlier try came too late: the owner looks at the session again before its slot has arrived.
  effects.offer(waiting, 'generation')
  expect([slots.length, generations.running]).toEqual([1, 1])
  effects.arrived(sessionId)
  const [slot] = slots
  if (slot !== undefined) effects.generate(waiting, slot)
  effects.offer(waiting, 'generation')
  expect([slots.length, generations.waiting]).toEqual([1, 0])
  stop.abort()
  await effects.stop()
})

it('offers a session again whose slot was given back unused', async () => {
  const { effects, slots, stop } = await runner()
  effects.offer(waiting, 'generation')
  effects.arrived(sessionId)
  slots[0]?.release()
  effects.offer(waiting, 'generation')
  expect(slots).toHaveLength(2)
  stop.abort()
  await effects.stop()
})
