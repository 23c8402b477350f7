import { describe, expect, it } from 'vitest'
import { memoryGenerator } from '../../../src/adapters/memory/generator.ts'
import { memoryObjects } from '../../../src/adapters/memory/objects.ts'
import { generate } from '../../../src/machines/effects/generate.ts'
import type { ObjectStore } from '../../../src/machines/ports/objects.ts'
import type { Platform } from '../../../src/machines/ports/platform.ts'
import { otherSessionId, sessionId } from '../../support/facts.ts'
import { startWorker } from '../../support/one-partition.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const MINUTE_MS = 60_000
const down = () => Promise.reject(new Error('storage is down'))
const wanting: Platform = {
  look: async () => ({ wanted: true }),
  refund: () => Promise.reject(new Error('nothing is refunded here')),
  settle: () => Promise.reject(new Error('nothing is refunded here')),
}

/** Two sessions while storage is down in some way for so many minutes: how they end, and what was paid for. */
const duringOutage = async (minutes: number, broken: (objects: ObjectStore) => Partial<ObjectStore>) => {
  const clock = new VirtualClock()
  const generator = memoryGenerator()
  const whole = memoryObjects(() => clock.now())
  const endsAt = clock.now() + minutes * MINUTE_MS
  const during = { ...whole, ...broken(whole) }
  const now = (): ObjectStore => (clock.now() < endsAt ? during : whole)
  const objects: ObjectStore = {
    put: (...args) => now().put(...args),
    find: (path) => now().find(path),
    sign: (...args) => now().sign(...args),
  }
  const pictures = { fetch: async () => [] }
  const effect = generate({ clock, platform: wanting, pictures, generator, objects })
  const worker = await startWorker(clock, 2, [sessionId, otherSessionId], effect)
  // A call that began during the outage and is never answered costs its try the whole time limit.
  await clock.advance((minutes + 6) * MINUTE_MS)
  const facts = (await worker.steps()).flat()
  await worker.stop(MINUTE_MS)
  const count = (type: string) => facts.filter((one) => one === type).length
  return { completed: count('generation.completed'), failed: count('generation.failed'), paid: generator.calls.length }
}

describe('an outage of storage', () => {
  it.each([
    ['that takes no image', () => ({ put: down })],
    ['that answers nothing', () => ({ put: down, find: down, sign: down })],
    ['that never answers', () => ({ put: () => new Promise<never>(() => {}) })],
    [
      'that stores, and loses every answer',
      (objects: ObjectStore) => ({ put: (...args: Parameters<ObjectStore['put']>) => objects.put(...args).then(down) }),
    ],
  ])('%s is survived for half an hour with one paid call for each session', async (_, broken) => {
    expect(await duringOutage(30, broken)).toEqual({ completed: 2, failed: 0, paid: 2 })
  })

  it('that lasts longer than a session may wait fails it, and pays no more for it', async () => {
    expect(await duringOutage(70, () => ({ put: down }))).toEqual({ completed: 0, failed: 2, paid: 2 })
  })
})
