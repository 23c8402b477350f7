import { describe, expect, it } from 'vitest'
import { type Ended, startBounded } from '../../../src/machines/runtime/bounded-effect.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'

const SECOND_MS = 1_000

/** An effect, and how it ended so far. */
const run = (effect: (signal: AbortSignal) => Promise<string>) => {
  const clock = new VirtualClock()
  const seen: { end?: Ended<string> } = {}
  const { ended, stop } = startBounded(effect, clock)
  void ended.then((end) => {
    seen.end = end
  })
  return { clock, stop, seen }
}

const never = () => new Promise<string>(() => {})
const rejectsWhenAborted = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('heeded')))
  })

describe('a bounded effect', () => {
  it('ends with what it came to, and leaves nothing asleep', async () => {
    const { clock, seen } = run(() => Promise.resolve('image'))
    await settled()
    expect(seen.end).toEqual({ how: 'done', value: 'image' })
    expect(clock.sleeping).toBe(0)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws before its first wait',
      (): Promise<string> => {
        throw new Error('broken')
      },
    ],
  ])('ends with its error when it %s', async (_, effect) => {
    const { clock, seen } = run(effect)
    await settled()
    expect(seen.end).toEqual({ how: 'threw', error: new Error('broken') })
    expect(clock.sleeping).toBe(0)
  })

  it('ends as timed out when it heeds its time limit', async () => {
    const { clock, stop, seen } = run(rejectsWhenAborted)
    await settled()
    expect(seen.end).toBeUndefined()
    stop('timeout')
    await settled()
    expect(seen.end?.how).toBe('timeout')
    expect(clock.sleeping).toBe(0)
  })

  it('is left behind when it does not heed the limit, and what it comes to later is still told', async () => {
    let finish: (value: string) => void = () => {}
    const { clock, stop, seen } = run(
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    await settled()
    stop('timeout')
    await clock.advance(5 * SECOND_MS - 1)
    expect(seen.end).toBeUndefined()
    await clock.advance(1)
    expect(seen.end?.how).toBe('timeout')
    finish('image')
    const late = seen.end?.how === 'timeout' ? await seen.end.late : undefined
    expect(late).toEqual({ how: 'done', value: 'image' })
  })

  it('counts as done when it ends well in spite of the limit', async () => {
    const { stop, seen } = run(async (signal) => {
      await rejectsWhenAborted(signal).catch(() => undefined)
      return 'image'
    })
    await settled()
    stop('timeout')
    await settled()
    expect(seen.end).toEqual({ how: 'done', value: 'image' })
  })

  it('ends as aborted when its caller says so, whatever is said later', async () => {
    const { clock, stop, seen } = run(rejectsWhenAborted)
    await settled()
    stop('aborted')
    stop('timeout')
    await settled()
    expect(seen.end).toEqual({ how: 'aborted' })
    expect(clock.sleeping).toBe(0)
  })

  it('is left behind when it does not heed its caller either', async () => {
    const { clock, stop, seen } = run(never)
    await settled()
    stop('aborted')
    await clock.advance(5 * SECOND_MS - 1)
    expect(seen.end).toBeUndefined()
    await clock.advance(1)
    expect(seen.end).toEqual({ how: 'aborted' })
  })

  it('never begins when it is stopped at once', async () => {
    let begun = false
    const { stop, seen } = run(async () => {
      begun = true
      return 'image'
    })
    stop('aborted')
    await settled()
    expect([seen.end, begun]).toEqual([{ how: 'aborted' }, false])
  })

  it('heeds no word after its end', async () => {
    const { clock, stop, seen } = run(() => Promise.resolve('image'))
    await settled()
    stop('timeout')
    await settled()
    expect([seen.end?.how, clock.sleeping]).toEqual(['done', 0])
  })
})
