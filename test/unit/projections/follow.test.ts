import { describe, expect, it } from 'vitest'
import { archiveJournals } from '../../../src/projections/archive.ts'
import { follow } from '../../../src/projections/follow.ts'
import { project } from '../../../src/projections/project.ts'
import { sessions } from '../../../src/projections/sessions.ts'
import { completed, requested, started } from '../../support/facts.ts'
import { journalsAndStore, recordedEnvironment } from '../../support/project-memory.ts'
import { Chain, factsOf, newSession } from '../../support/store-world.ts'

const COMPLETED = [requested(), started(), completed()]

/** Runs the archive and a projection until the work is done, and stops them. */
const following = ({ deaf = false } = {}) => {
  const recorded = recordedEnvironment()
  const { log, write, store } = journalsAndStore(recorded.clock, deaf)
  const stop = new AbortController()
  const options = { environment: recorded.environment, signal: stop.signal }
  const running: Promise<void>[] = []
  return {
    ...recorded,
    write,
    store,
    archive: () => running.push(archiveJournals(log, store.archive, options)),
    project: (by = store) => running.push(project(sessions, by, options)),
    pass: (ms = 0) => recorded.clock.advance(ms),
    stop: async () => {
      stop.abort()
      await Promise.all(running)
    },
  }
}

describe('the archive', () => {
  it('reads what is in the journals and what they grow by, woken by growth', async () => {
    const world = following()
    const [chain, other] = [new Chain(0), new Chain(1)]
    world.write(chain.step(...factsOf(newSession(), COMPLETED)))
    world.archive()
    await world.pass()
    expect(await world.store.archive.head()).toBe(3)
    world.write(other.step(...factsOf(newSession(), COMPLETED)), chain.step(...factsOf(newSession(), COMPLETED)))
    await world.pass()
    expect(await world.store.archive.head()).toBe(9)
    expect((await world.store.archive.heads()).get(0)).toMatchObject({ ...chain.head })
    await world.stop()
  })

  it('finds out by itself when nobody told it', async () => {
    const world = following({ deaf: true })
    world.archive()
    await world.pass()
    const chain = new Chain(0)
    world.write(chain.step(...factsOf(newSession(), COMPLETED)))
    await world.pass(3_000)
    expect(await world.store.archive.head()).toBe(3)
    await world.stop()
  })

  it.each([
    ['step_does_not_follow', { previous: 'a step that nobody has' }],
    ['format_unknown', { format: 99 }],
    ['repair_unfinished', { facts: [] }],
  ])('stops a partition at a step for which it says %s, alerts once, and reads the others', async (reason, damage) => {
    const world = following()
    const [bad, good] = [new Chain(0), new Chain(1)]
    world.archive()
    world.write(bad.step(...factsOf(newSession(), COMPLETED)), {
      ...bad.step(...factsOf(newSession(), COMPLETED)),
      ...damage,
    })
    world.write(good.step(...factsOf(newSession(), COMPLETED)))
    for (let rounds = 0; rounds < 4; rounds++) await world.pass(20_000)
    world.write(good.step(...factsOf(newSession(), COMPLETED)))
    await world.pass()
    expect(await world.store.archive.head()).toBe(9)
    expect(world.errors).toEqual([expect.objectContaining({ partition: 0, reason, alert: true })])
    await world.stop()
  })

  it('stops a partition whose facts it has already, and reads the others', async () => {
    const world = following()
    const [bad, good] = [new Chain(0), new Chain(1)]
    const facts = factsOf(newSession(), COMPLETED)
    world.write(bad.step(...facts), bad.step(...facts), good.step(...factsOf(newSession(), COMPLETED)))
    world.archive()
    await world.pass()
    for (let rounds = 0; rounds < 4; rounds++) await world.pass(20_000)
    expect(await world.store.archive.head()).toBe(6)
    expect(world.errors).toEqual([expect.objectContaining({ partition: 0, reason: 'refused' })])
    await world.stop()
  })

  it('goes on in a partition once a repair moved its head', async () => {
    const world = following()
    const chain = new Chain(0)
    const common = chain.step(...factsOf(newSession(), COMPLETED))
    world.write(common)
    world.archive()
    await world.pass()
    const other = new Chain(0, { number: 3, id: 'the repair' })
    world.write({ ...new Chain(0, { number: 1, id: 'lost' }).step(), number: 2 })
    await world.pass()
    expect(world.errors).toHaveLength(1)
    const epoch = { number: 1, token: 'token' }
    const mending = { archived: common, steps: [], head: { number: 3, id: 'the repair' } }
    expect(await world.store.history.mend({ log: 'log-1', partition: 0, epoch }, mending)).toBe('mended')
    world.write(other.step(...factsOf(newSession(), COMPLETED)))
    await world.pass(20_000)
    expect(await world.store.archive.head()).toBe(6)
    await world.stop()
  })

  it('reads nothing of a log that it was not written from', async () => {
    const world = following()
    await world.store.archive.append('another log', [new Chain(0).step(...factsOf(newSession(), COMPLETED))])
    world.archive()
    world.write(new Chain(0).step(...factsOf(newSession(), COMPLETED)))
    await world.pass()
    expect(await world.store.archive.head()).toBe(3)
    expect(world.errors).toEqual([expect.objectContaining({ partition: 0, reason: 'log_replaced' })])
    await world.stop()
  })
})

describe('a projection', () => {
  it('keeps up with the archive, also beside another process that writes it', async () => {
    const world = following()
    world.archive()
    world.project()
    world.project()
    const chain = new Chain(0)
    const all = Array.from({ length: 20 }, newSession)
    for (const session of all) {
      world.write(chain.step(...factsOf(session, COMPLETED)))
      await world.pass(1_000)
    }
    await world.pass(20_000)
    expect(await world.store.tables.status()).toEqual([{ name: 'sessions', position: 60, setAside: 0, gone: 0 }])
    for (const session of all) expect(await world.store.queries.session(session)).toMatchObject({ state: 'completed' })
    await world.stop()
  })
})

describe('what follows a growing source', () => {
  it('ends at once when it is told to, also between a round and its rest', async () => {
    const { environment, clock } = recordedEnvironment()
    const stop = new AbortController()
    const rounds: string[] = []
    const round = async () => {
      rounds.push('round')
      return 'idle' as const
    }
    const running = follow({ environment, signal: stop.signal, pauseMs: 100 }, () => () => {}, round)
    await clock.advance(0)
    stop.abort()
    await running
    expect(rounds).toEqual(['round'])
  })
})
