import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SessionId } from '../../src/events/ids.ts'
import type { StateName } from '../../src/machines/compile.ts'
import { dataOf, openEventStream } from '../support/event-stream.ts'
import { eventually } from '../support/eventually.ts'
import { completed, failed, issued, refundRequested, requested, started } from '../support/facts.ts'
import { json, newSession, openWorld, type World } from './http-world.ts'

interface Told {
  readonly states: Partial<Record<StateName, number>>
  readonly moved: Readonly<Record<string, number>>
}

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close(0))

/** Somebody who watches: what was told so far. */
const watch = async (): Promise<readonly Told[]> => {
  const { response, events } = await openEventStream(`${world.url}/v1/census/events`, dataOf)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  await eventually(() => expect(events.length).toBeGreaterThan(0))
  return events as readonly Told[]
}
const sumOf = (told: readonly Told[], type: string) => told.reduce((sum, { moved }) => sum + (moved[type] ?? 0), 0)

test('tells whoever watches how many sessions stand where, and which facts moved them', async () => {
  const told = await watch()
  expect(told).toEqual([{ states: {}, moved: {} }])
  const [one, other] = [newSession(), newSession()]
  await world.happen(one, requested())
  await world.happen(other, requested(), started(), failed('expired'), refundRequested())
  await world.project()
  await eventually(() => expect(told.at(-1)?.states).toEqual({ queued: 1, 'failed.owed': 1 }))
  await eventually(() => expect(sumOf(told, 'generation.requested')).toBe(2))
  await world.happen(other, issued())
  await world.project()
  await eventually(() => expect(told.at(-1)?.states).toEqual({ queued: 1, refunded: 1 }))
  expect(await json(await world.get('/v1/census'))).toEqual({ states: { queued: 1, refunded: 1 } })
})

test('counts once for many who watch, not at all while nothing happens, and not once for each fact', async () => {
  const counting = vi.spyOn(world.store.queries, 'census')
  const counted = () => counting.mock.calls.length
  const watchers = await Promise.all(Array.from({ length: 20 }, watch))
  const before = counted()
  expect(before).toBeLessThan(10)
  for (let number = 0; number < 50; number++) await world.happen(newSession(), requested())
  await world.project()
  for (const told of watchers) await eventually(() => expect(told.at(-1)?.states).toEqual({ queued: 50 }))
  for (const told of watchers) await eventually(() => expect(sumOf(told, 'generation.requested')).toBe(50))
  // Twice a second for some seconds, however many watch.
  expect(counted() - before).toBeLessThan(40)
})

test('replays a session fact by fact, as the machine of today has it', async () => {
  const session = newSession()
  await world.happen(session, requested(), started(), completed())
  const { items } = (await json(await world.get(`/v1/generations/${session}/timeline`))) as {
    items: { fact: { type: string }; state: string; context: { attempt: number }; accepted: boolean }[]
  }
  expect(items.map(({ fact, state, context, accepted }) => [fact.type, state, context.attempt, accepted])).toEqual([
    ['generation.requested', 'queued', 0, true],
    ['generation.started', 'processing', 1, true],
    ['generation.completed', 'completed', 1, true],
  ])
  // An earlier machine may have taken what today's does not: it is shown, and moves nothing.
  await world.happen(session, issued())
  const later = (await json(await world.get(`/v1/generations/${session}/timeline`))) as { items: typeof items }
  expect(later.items.at(-1)).toMatchObject({ state: 'completed', accepted: false })
  const unknown = SessionId.parse('0190b5f8-0000-7000-8000-0000000000ff')
  expect((await world.get(`/v1/generations/${unknown}/timeline`)).status).toBe(404)
})

test('says of the machine what its chart needs', async () => {
  const machine = (await json(await world.get('/v1/machine'))) as {
    initial: string
    moves: unknown[]
    states: unknown[]
  }
  expect(machine.initial).toBe('new')
  expect(machine.states).toContainEqual({ name: 'failed.owed', owes: 'refund', final: false })
  expect(machine.moves).toContainEqual({
    from: 'queued',
    to: 'failed.open',
    fact: 'generation.failed',
    guard: 'currentAttempt',
  })
})
