import { beforeEach, describe, expect, it } from 'vitest'
import type { Pause, Pauses } from '../../../src/machines/ports/pauses.ts'
import type { Held } from '../../../src/machines/runtime/effect-pool.ts'
import { PauseWatch } from '../../../src/machines/runtime/pause-watch.ts'
import { START_MS } from '../../support/facts.ts'
import { recordedEnvironment } from '../../support/project-memory.ts'

const NOTHING: Held = { all: false, tenants: new Set() }
const EVERYTHING: Held = { all: true, tenants: new Set() }

const pauseOf = (scope: Pause['scope'], ageS = 60): Pause => ({
  scope,
  by: 'ada',
  why: 'maintenance',
  since: new Date(START_MS - ageS * 1_000).toISOString(),
})

describe('a watch of the pauses', () => {
  let pauses: Pause[]
  let down: boolean
  let held: Held
  let gauges: Record<string, number>
  let watch: PauseWatch
  const kept: Pauses = {
    list: async () => (down ? Promise.reject(new Error('the database is down')) : pauses),
    pause: async (pause) => {
      pauses.push(pause)
      return pause
    },
    resume: async () => pauses.pop() ?? null,
  }
  const pool = {
    hold: (given: Held) => {
      held = given
    },
  }

  beforeEach(() => {
    const { environment } = recordedEnvironment()
    gauges = {}
    pauses = []
    down = false
    held = NOTHING
    const gauge = (name: string, value: number, labels: Readonly<Record<string, string>> = {}) => {
      gauges[[name, ...Object.values(labels)].join(' ')] = value
    }
    const clock = { ...environment.clock, now: () => START_MS }
    watch = new PauseWatch(kept, { clock, meter: { ...environment.meter, gauge } })
  })

  it('holds everything until the pauses were read once: a restart forgets none', async () => {
    down = true
    watch.govern(pool)
    await expect(watch.look()).rejects.toThrow('down')
    expect([held, watch.holdsList()]).toEqual([EVERYTHING, true])
    down = false
    await watch.look()
    expect([held, watch.holdsList()]).toEqual([NOTHING, false])
  })

  it('holds what is paused, also when the pauses cannot be read any more', async () => {
    watch.govern(pool)
    pauses = [pauseOf('store:1'), pauseOf('list')]
    await watch.look()
    down = true
    await expect(watch.look()).rejects.toThrow('down')
    expect([held, watch.holdsList()]).toEqual([{ all: false, tenants: new Set(['store:1']) }, true])
    down = false
    pauses = [pauseOf('all')]
    await watch.look()
    expect([held.all, watch.holdsList()]).toEqual([true, false])
  })

  it('heeds a change of its own process at once', async () => {
    await watch.look()
    watch.govern(pool)
    await watch.heeding(kept).pause(pauseOf('all'))
    expect([held.all, watch.pauses]).toEqual([true, [pauseOf('all')]])
    down = true
    await watch.heeding(kept).resume('all')
    expect(held.all).toBe(true)
    down = false
    await watch.look()
    expect(held.all).toBe(false)
  })

  it('shows how long the oldest pause of each kind stands', async () => {
    pauses = [pauseOf('user:1', 5), pauseOf('store:1', 3_700), pauseOf('all', 60)]
    await watch.look()
    expect(gauges).toEqual({ 'paused_seconds all': 60, 'paused_seconds list': 0, 'paused_seconds tenant': 3_700 })
  })
})
