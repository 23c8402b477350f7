import { describe, expect, it } from 'vitest'
import { aborted, onAbort, WakeUp } from '../../../src/machines/runtime/signal.ts'
import { settled } from '../../support/virtual-clock.ts'

describe('a wake-up', () => {
  it('wakes who waits, once', async () => {
    const wake = new WakeUp()
    let woken = 0
    const wait = () => void wake.wait().then(() => woken++)
    wait()
    await settled()
    expect(woken).toBe(0)
    wake.notify()
    await settled()
    wait()
    await settled()
    expect(woken).toBe(1)
  })

  it('remembers what came while nobody waited', async () => {
    const wake = new WakeUp()
    wake.notify()
    wake.notify()
    await expect(wake.wait()).resolves.toBeUndefined()
  })
})

describe('listening to a signal', () => {
  it('calls back once, at once when it has already fired, and not after listening ended', async () => {
    const calls: string[] = []
    const abort = new AbortController()
    onAbort(abort.signal, () => calls.push('listens'))
    onAbort(abort.signal, () => calls.push('stopped'))()
    abort.abort()
    onAbort(abort.signal, () => calls.push('late'))()
    await aborted(abort.signal)
    expect(calls).toEqual(['listens', 'late'])
  })
})
