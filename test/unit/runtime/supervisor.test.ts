import { describe, expect, it } from 'vitest'
import { supervise } from '../../../src/machines/runtime/supervisor.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const MINUTE_MS = 60_000

/** A supervised loop, and when each of its runs began, in ms from the start. */
const superviseOne = (loop: (alive: () => void, signal: AbortSignal, clock: VirtualClock) => Promise<void>) => {
  const clock = new VirtualClock()
  const start = clock.now()
  const abort = new AbortController()
  const runs: number[] = []
  const { status, ended } = supervise(
    'projector',
    (alive, signal) => {
      runs.push(clock.now() - start)
      return loop(alive, signal, clock)
    },
    quietEnvironment(clock),
    abort.signal,
  )
  return { clock, start, abort, runs, status, ended }
}

const fails = () => Promise.reject(new TypeError('no connection'))

describe('a supervised loop', () => {
  it('that fails is restarted, with waits that grow up to a bound', async () => {
    const { clock, runs } = superviseOne(fails)
    await clock.advance(10 * MINUTE_MS)
    expect(runs.slice(0, 5)).toEqual([0, 150, 450, 1_050, 2_250])
    expect((runs.at(-1) ?? 0) - (runs.at(-2) ?? 0)).toBe(22_500)
  })

  it('that fails says so, and how often', async () => {
    const { clock, status, start } = superviseOne(fails)
    await clock.advance(200)
    expect(status()).toEqual({
      name: 'projector',
      state: 'waiting',
      restarts: 2,
      lastError: 'TypeError',
      seenAt: start + 150,
    })
  })

  it('that returns early is restarted too', async () => {
    const { clock, runs, status } = superviseOne(() => Promise.resolve())
    await clock.advance(150)
    expect(runs).toEqual([0, 150])
    expect(status().lastError).toBe('ended early')
  })

  it('that ran well for a while begins its waits anew', async () => {
    const { clock, runs } = superviseOne(async (_alive, _signal, time) => {
      await time.sleep(runs.length === 5 ? 2 * MINUTE_MS : 0)
      throw new Error('broken')
    })
    await clock.advance(3 * MINUTE_MS)
    expect(runs.slice(4, 7)).toEqual([2_250, 2_250 + 2 * MINUTE_MS + 150, 2_250 + 2 * MINUTE_MS + 450])
  })

  it('shows when it last turned', async () => {
    const { clock, start, status } = superviseOne(async (alive, signal, time) => {
      for (; !signal.aborted; await time.sleep(1_000, signal)) alive()
    })
    await clock.advance(5_500)
    expect(status()).toMatchObject({ state: 'running', restarts: 0, lastError: null, seenAt: start + 5_000 })
  })

  it('ends when it is told to, in its work or in its wait', async () => {
    const waits = superviseOne(fails)
    const works = superviseOne((_alive, signal, time) => time.sleep(MINUTE_MS, signal))
    for (const loop of [waits, works]) {
      await loop.clock.advance(10)
      loop.abort.abort()
      await loop.ended
      expect(loop.status().state).toBe('stopped')
      expect(loop.clock.sleeping).toBe(0)
    }
    expect([waits.runs, works.runs]).toEqual([[0], [0]])
  })
})
