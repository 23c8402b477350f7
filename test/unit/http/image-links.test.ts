import { describe, expect, it } from 'vitest'
import { memoryObjects } from '../../../src/adapters/memory/objects.ts'
import { ImageLinks } from '../../../src/http/image-links.ts'
import { resultPath } from '../../../src/machines/effects/paths.ts'
import type { ObjectStore } from '../../../src/machines/ports/objects.ts'
import type { SessionView } from '../../../src/projections/queries.ts'
import { quietEnvironment } from '../../support/environment.ts'
import { otherSessionId, sessionId, store, user } from '../../support/facts.ts'

const START = Date.UTC(2026, 0, 15, 10)
const MINUTE_MS = 60_000
const at = (ms: number) => new Date(ms).toISOString()

const session = (changes: Partial<SessionView> = {}): SessionView => ({
  sessionId,
  channel: 'b2b',
  tenant: `store:${store.storeId}`,
  state: 'completed',
  requestId: null,
  attempts: 1,
  imageUrl: 'https://kept',
  imageUrlExpiresAt: at(START + 60 * MINUTE_MS),
  failureCode: null,
  errorMessage: null,
  processingTimeMs: 1,
  costUsd: 0,
  createdAt: at(START),
  completedAt: at(START),
  ...changes,
})

const opened = async () => {
  const clock = { nowMs: START }
  const env = quietEnvironment({ now: () => clock.nowMs, sleep: async () => undefined })
  const outcomes: string[] = []
  const meter = { ...env.meter, count: (_: string, labels?: object) => void outcomes.push(JSON.stringify(labels)) }
  const objects = memoryObjects(() => clock.nowMs)
  await objects.put(resultPath(store, sessionId), Uint8Array.of(1), {})
  const signed: string[] = []
  const sign: ObjectStore['sign'] = (path, validMs) => {
    signed.push(path)
    return objects.sign(path, validMs)
  }
  const seen = { fails: false }
  const links = new ImageLinks(
    { sign: (path, validMs) => (seen.fails ? Promise.reject(new Error('down')) : sign(path, validMs)) },
    { ...env, meter },
  )
  return { clock, links, objects, signed, outcomes, seen }
}

describe('the URLs of results', () => {
  it('are the kept ones while they last', async () => {
    const { links, signed } = await opened()
    const image = { imageUrl: 'https://kept', imageUrlExpiresAt: at(START + 60 * MINUTE_MS) }
    expect(await links.of(session())).toEqual({ image, state: 'available' })
    expect(signed).toEqual([])
  })

  it.each([
    ['the kept one is about to end', { imageUrlExpiresAt: at(START + 9 * MINUTE_MS) }],
    ['the platform wrote over it', { imageUrl: null }],
    ['nobody knows when it ends', { imageUrlExpiresAt: null }],
  ])('are signed again for 6 hours when %s', async (_, changes) => {
    const { links, signed } = await opened()
    const { image, state } = await links.of(session(changes))
    expect(image.imageUrlExpiresAt).toBe(at(START + 360 * MINUTE_MS))
    expect(state).toBe('available')
    expect(signed).toEqual([`stores/${store.storeId}/generated/${sessionId}.jpg`])
  })

  it('are signed once for all who ask within a minute', async () => {
    const { clock, links, signed } = await opened()
    const gone = session({ imageUrl: null })
    const answers = await Promise.all(Array.from({ length: 50 }, () => links.of(gone)))
    expect(new Set(answers.map(({ image }) => image.imageUrl)).size).toBe(1)
    clock.nowMs += MINUTE_MS - 1
    await links.of(gone)
    expect(signed).toHaveLength(1)
    clock.nowMs += 1
    await links.of(gone)
    expect(signed).toHaveLength(2)
  })

  it('are expired when the image is gone, which is remembered as long', async () => {
    const { links, objects, signed, outcomes } = await opened()
    await objects.remove([resultPath(store, sessionId)])
    const expired = { image: { imageUrl: null, imageUrlExpiresAt: null }, state: 'expired' }
    expect(await links.of(session({ imageUrl: null }))).toEqual(expired)
    expect(await links.of(session({ imageUrl: null }))).toEqual(expired)
    expect([signed.length, outcomes]).toEqual([1, ['{"outcome":"gone"}']])
  })

  it('are asked for anew after a failure', async () => {
    const { links, seen, outcomes } = await opened()
    seen.fails = true
    await expect(links.of(session({ imageUrl: null }))).rejects.toThrow('down')
    seen.fails = false
    expect(await links.of(session({ imageUrl: null }))).toMatchObject({ state: 'available' })
    expect(outcomes).toEqual(['{"outcome":"failed"}', '{"outcome":"signed"}'])
  })

  it('are remembered for the last thousand sessions', async () => {
    const { links, signed } = await opened()
    const asked = (index: number) => {
      const id = `${otherSessionId.slice(0, -4)}${`${index}`.padStart(4, '0')}` as SessionView['sessionId']
      return links.of(session({ imageUrl: null, sessionId: id }))
    }
    for (let index = 0; index <= 1_000; index++) await asked(index)
    await asked(1)
    expect(signed).toHaveLength(1_001)
    await asked(0)
    expect(signed).toHaveLength(1_002)
  })

  it.each([
    ['of a session that has not completed', { state: 'processing', imageUrl: null }],
    ['of a session whose owner nobody knows', { channel: null, tenant: null, imageUrl: null }],
  ] as const)('are left alone %s', async (_, changes) => {
    const { links, signed } = await opened()
    expect(await links.of(session(changes))).toMatchObject({ image: { imageUrl: null }, state: null })
    expect(signed).toEqual([])
  })

  it('lie under the user’s path for a user', async () => {
    const { links, signed } = await opened()
    await links.of(session({ channel: 'b2c', tenant: `user:${user.userId}`, imageUrl: null }))
    expect(signed).toEqual([`generated/${user.userId}/${sessionId}.jpg`])
  })
})
