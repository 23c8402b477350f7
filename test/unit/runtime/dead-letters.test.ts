import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryLog } from '../../../src/adapters/memory/event-log.ts'
import type { EventLog, PartitionLease } from '../../../src/machines/ports/event-log.ts'
import { discardLetter, REPLAYS_MAX, replayLetter } from '../../../src/machines/runtime/dead-letters.ts'
import { virtualClock } from '../../support/clock.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { burial, commitOf } from '../../support/log-samples.ts'
import { startWorker } from '../../support/log-worker.ts'

const BY = 'Ada'

describe('an operator', () => {
  const clock = virtualClock()
  const env = quietEnvironment(clock)
  let log: EventLog
  let lease: PartitionLease
  let deaths: number

  beforeEach(async () => {
    log = memoryLog({ clock, newId: randomUUID, partitions: 1 })
    const worker = startWorker(log)
    for (let tries = 0; worker.leases.size === 0 && tries < 100; tries++) await clock.advance(100)
    lease = worker.lease(0)
    deaths = 0
  })

  const die = async (): Promise<string> => {
    const died = burial(0, `${++deaths}`, 'poison')
    await lease.commit(commitOf({ deadLetters: [died] }))
    return died.id
  }
  const published = async () =>
    (await lease.take({ messages: 99, bytes: 10_000 })).map(({ source, bytes }) => [
      source,
      Buffer.from(bytes).toString(),
    ])
  const replay = async (id: string, force = false) =>
    (await replayLetter(id, { by: BY, force }, { log, env }))?.outcome ?? null
  const discard = async (id: string) =>
    (await discardLetter(id, { by: BY, reason: 'garbage' }, { log, env }))?.outcome ?? null

  it('replays a letter once until it dies again', async () => {
    const id = await die()
    expect(await replay(id)).toBe('replayed')
    expect(await replay(id)).toBe('replayed_before')
    expect(await published()).toEqual([['replay', 'poison']])
    expect(await log.letters.open(id)).toMatchObject({
      state: 'replayed',
      replays: 1,
      lastAction: { by: BY, reason: null },
    })
    await die()
    expect(await replay(id)).toBe('replayed')
    expect(await published()).toHaveLength(1)
  })

  it('needs force once a letter died after several replays', async () => {
    const id = await die()
    for (let replays = 0; replays < REPLAYS_MAX; replays++) {
      expect(await replay(id)).toBe('replayed')
      await die()
    }
    await published()
    expect(await replay(id)).toBe('worn_out')
    expect(await published()).toEqual([])
    expect(await replay(id, true)).toBe('replayed')
    expect(await published()).toHaveLength(1)
  })

  it('needs force to replay what was discarded, and discards once', async () => {
    const id = await die()
    expect(await discard(id)).toBe('discarded')
    expect(await discard(id)).toBe('discarded_before')
    expect(await log.letters.open(id)).toMatchObject({
      state: 'discarded',
      lastAction: { by: BY, reason: 'garbage' },
    })
    expect(await replay(id)).toBe('discarded')
    expect(await published()).toEqual([])
    expect(await replay(id, true)).toBe('replayed')
    expect(await discard(id)).toBe('replayed')
  })

  it('sees a letter waiting that died before its replay was noted', async () => {
    const id = await die()
    const publish: EventLog['publish'] = async (messages) => {
      await log.publish(messages)
      await die()
    }
    const done = await replayLetter(id, { by: BY }, { log: { ...log, publish }, env })
    expect(done).toMatchObject({ outcome: 'replayed', letter: { state: 'waiting', attempts: 2, replays: 1 } })
    expect(await replay(id)).toBe('replayed')
  })

  it('sees a letter waiting that was published and not marked', async () => {
    const id = await die()
    const letters = { ...log.letters, mark: () => Promise.reject(new Error('killed')) }
    await expect(replayLetter(id, { by: BY }, { log: { ...log, letters }, env })).rejects.toThrow('killed')
    expect(await replay(id)).toBe('replayed')
    expect(await published()).toHaveLength(2)
  })

  it('is told of letters that are not kept', async () => {
    const { id } = burial(0, '1', 'unknown')
    expect(await replay(id)).toBeNull()
    expect(await discard(id)).toBeNull()
  })
})
