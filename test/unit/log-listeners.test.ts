import { expect, it } from 'vitest'
import { LogListeners } from '../../src/adapters/shared/log-listeners.ts'

it('says that nobody waits once the last one has left, so that an idle process asks its log for nothing', () => {
  const listeners = new LogListeners()
  const leave = [listeners.onArrival(3, () => {}), listeners.onGrowth(() => {})]
  expect(listeners.any).toBe(true)
  leave[1]?.()
  expect(listeners.any).toBe(true)
  leave[0]?.()
  expect(listeners.any).toBe(false)
})

it('calls those whom a message is for, and everybody when something may have been missed', () => {
  const listeners = new LogListeners()
  const heard: string[] = []
  listeners.onArrival(3, () => heard.push('arrival'))
  listeners.onGrowth(() => heard.push('growth'))
  listeners.onLeases(() => heard.push('leases'))
  listeners.hear('inbox 1,3')
  listeners.hear('inbox 1,2')
  listeners.hear('journal')
  listeners.hear('leases')
  listeners.hear('inbox 3 and what a newer program says')
  listeners.hear('what a newer program says')
  expect(heard).toEqual(['arrival', 'growth', 'leases', 'arrival'])
  listeners.callAll()
  expect(heard.slice(4).toSorted()).toEqual(['arrival', 'growth', 'leases'])
})
