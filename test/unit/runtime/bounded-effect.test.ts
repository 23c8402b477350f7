import { describe, expect, it } from 'vitest'
import { runBounded } from '../../../src/machines/runtime/bounded-effect.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'

const SECOND_MS = 1_000

/** An effect that runs within ten seconds, and how it ended so far. */
const run = (effect: (signal: AbortSignal) => Promise<string>, abort = new AbortController()) => {
  const clock = new VirtualClock()
  const seen: { end?: Awaited<ReturnType<typeof runBounded<string>>> } = {}
  void runBounded(effect, { timeoutMs: 10 * SECOND_MS, abort: abort.signal, clock }).then((end) => {
    seen.end = end
  })
  return { clock, abort, seen }
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

  it('is told to stop at its time limit, and not before', async () => {
    const { clock, seen } = run(rejectsWhenAborted)
    await clock.advance(10 * SECOND_MS - 1)
    expect(seen.end).toBeUndefined()
    await clock.advance(1)
    expect(seen.end?.how).toBe('timeout')
    expect(clock.sleeping).toBe(0)
  })

  it('is left behind when it does not heed the limit, and what it comes to later is still told', async () => {
    let finish: (value: string) => void = () => {}
    const { clock, seen } = run(
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    await clock.advance(14 * SECOND_MS)
    expect(seen.end).toBeUndefined()
    await clock.advance(1 * SECOND_MS)
    expect(seen.end?.how).toBe('timeout')
    finish('image')
    const late = seen.end?.how === 'timeout' ? await seen.end.late : undefined
    expect(late).toEqual({ how: 'done', value: 'image' })
  })

  it('counts as done when it ends well in spite of the limit', async () => {
    const { clock, seen } = run(async (signal) => {
      await rejectsWhenAborted(signal).catch(() => undefined)
      return 'image'
    })
    await clock.advance(10 * SECOND_MS)
    expect(seen.end).toEqual({ how: 'done', value: 'image' })
  })

  it('ends as aborted when its caller says so', async () => {
    const { abort, clock, seen } = run(rejectsWhenAborted)
    await clock.advance(SECOND_MS)
    abort.abort()
    await settled()
    expect(seen.end).toEqual({ how: 'aborted' })
    expect(clock.sleeping).toBe(0)
  })

  it('is left behind when it does not heed its caller either', async () => {
    const { abort, clock, seen } = run(never)
    abort.abort()
    await clock.advance(5 * SECOND_MS - 1)
    expect(seen.end).toBeUndefined()
    await clock.advance(1)
    expect(seen.end).toEqual({ how: 'aborted' })
  })

  it('sees that it was aborted before it began', async () => {
    const abort = new AbortController()
    abort.abort()
    const { seen } = run((signal) => (signal.aborted ? Promise.reject(new Error('stopped')) : never()), abort)
    await settled()
    expect(seen.end).toEqual({ how: 'aborted' })
  })
})
