import { describe, expect, it } from 'vitest'
import { type GenerateParts, generate, URL_VALID_MS } from '../../../../src/machines/effects/generate.ts'
import { resultPath } from '../../../../src/machines/effects/paths.ts'
import type { MadeImage, NoImage } from '../../../../src/machines/ports/generator.ts'
import type { ObjectMetadata, ObjectStore } from '../../../../src/machines/ports/objects.ts'
import type { Wanted } from '../../../../src/machines/ports/platform.ts'
import { rejected, requested, result, START_MS, sessionId, started, store, user } from '../../../support/facts.ts'
import { given } from '../../../support/given.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

const { usage, provenance } = result
const image: MadeImage = { bytes: Buffer.from('jpeg'), usage, provenance }
const metadata = { usage, provenance, durationMs: 4_000 }
const path = resultPath(store, sessionId)
const url = `https://images.example/${path}`
const completedWith = (kept: object, found: boolean) => ({
  kind: 'completed',
  result: { path, url, urlExpiresAt: '2026-01-15T16:00:00.000Z', ...kept, found },
})

/** What the world does in a test: what it leaves out goes well. */
interface World {
  wanted?: Wanted
  /** What the platform says once the image is made. */
  wantedLater?: Wanted
  pictures?: NoImage
  made?: NoImage
  /** What lies in storage before. */
  stored?: ObjectMetadata
  /** What someone else stores while the image is made. */
  storedMeanwhile?: ObjectMetadata
  /** When the caller has no use for the try any more. */
  abortedAfterMs?: number
  /** How many uploads and signatures fail first. */
  failingPuts?: number
  failingSigns?: number
  /** A failing upload stores its image all the same: only its answer is lost. */
  answerLost?: boolean
}

const worldOf = (world: World) => {
  const clock = new VirtualClock()
  const calls: string[] = []
  const abort = new AbortController()
  const parts: GenerateParts = {
    clock,
    platform: {
      look: async () => (calls.includes('put') ? world.wantedLater : world.wanted) ?? { wanted: true },
      refund: () => Promise.reject(new Error('not asked for')),
      settle: () => Promise.reject(new Error('not asked for')),
    },
    pictures: {
      fetch: async (urls) => {
        calls.push(`fetch ${urls.length}`)
        return world.pictures ?? urls.map((one) => Buffer.from(one))
      },
    },
    generator: {
      name: 'test',
      requestsPerMinute: null,
      generate: async ({ pictures, prompt }) => {
        calls.push(`generate ${pictures.length} "${prompt}"`)
        await clock.sleep(4_000)
        return world.made ?? image
      },
    },
    objects: objectsOf(world, calls),
  }
  const effect = generate(parts)
  if (world.abortedAfterMs !== undefined)
    void clock.sleep(world.abortedAfterMs).then(() => abort.abort(new Error('lost')))
  /** Lets time pass until the effect has ended. */
  const run = async (session = given(requested({ prompt: 'coat' }), started()).session) => {
    const ended = effect(session, abort.signal).catch((error: unknown) => ({ threw: error }))
    await clock.advance(60_000)
    return ended
  }
  return { calls, run }
}

const objectsOf = (world: World, calls: string[]): ObjectStore => {
  const { failingPuts = 0, failingSigns = 0, answerLost } = world
  let there = world.stored
  let putsLeft = failingPuts
  let signsLeft = failingSigns
  return {
    put: async (_path, _bytes, sent) => {
      calls.push('put')
      there ??= world.storedMeanwhile
      const taken = there !== undefined
      if (putsLeft <= 0 || answerLost) there ??= sent
      if (putsLeft-- > 0) throw new TypeError('no connection')
      return taken ? 'exists' : 'stored'
    },
    find: async () => there ?? null,
    sign: async (signed, validMs) => {
      if (signsLeft-- > 0) throw new TypeError('no connection')
      return { url: `https://images.example/${signed}`, expiresAt: new Date(START_MS + validMs).toISOString() }
    },
  }
}

describe('one try of a generation', () => {
  it('fetches, makes and stores an image, and signs its URL for six hours', async () => {
    const { calls, run } = worldOf({})
    expect(await run()).toEqual(completedWith(metadata, false))
    expect(calls).toEqual(['fetch 2', 'generate 2 "coat"', 'put'])
    expect(URL_VALID_MS).toBe(6 * 3_600_000)
  })

  it('does nothing when the platform does not want it any more', async () => {
    const { calls, run } = worldOf({ wanted: { wanted: false, why: 'row_failed', detail: 'Failed to queue job' } })
    expect(await run()).toEqual({ kind: 'withdrawn', why: 'row_failed', detail: 'Failed to queue job' })
    expect(calls).toEqual([])
  })

  it('ends withdrawn when the platform gave the credit back while the image was made', async () => {
    const detail = 'the ledger holds its refund'
    const { calls, run } = worldOf({ wantedLater: { wanted: false, why: 'given_back', detail } })
    expect(await run()).toEqual({ kind: 'withdrawn', why: 'given_back', detail })
    expect(calls).toContain('put')
  })

  it('takes what an earlier try left in storage, and pays for nothing', async () => {
    const { calls, run } = worldOf({ stored: metadata })
    expect(await run()).toEqual(completedWith(metadata, true))
    expect(calls).toEqual([])
  })

  it('takes an image that the earlier worker left, of which nothing more is known', async () => {
    const { run } = worldOf({ stored: { cacheControl: '3600' } })
    expect(await run()).toMatchObject({
      kind: 'completed',
      result: { found: true, usage: { costUsd: 0 }, provenance: { generator: 'unknown' }, durationMs: 0 },
    })
  })

  it('fails without asking the generator when the pictures cannot be had', async () => {
    const { calls, run } = worldOf({ pictures: { code: 'input_unavailable', detail: 'picture 1: 404' } })
    expect(await run()).toEqual({ kind: 'failed', code: 'input_unavailable', detail: 'picture 1: 404' })
    expect(calls).toEqual(['fetch 2'])
  })

  it('hands on why there is no image, and how long the provider wants us to wait', async () => {
    const { calls, run } = worldOf({ made: { code: 'rate_limited', detail: '429', retryAfterMs: 30_000 } })
    expect(await run()).toEqual({ kind: 'failed', code: 'rate_limited', detail: '429', retryAfterMs: 30_000 })
    expect(calls).not.toContain('put')
  })

  it('fails a session that has no owner', async () => {
    const { run } = worldOf({})
    expect(await run(given(rejected('x')).session)).toMatchObject({ kind: 'failed', code: 'invalid_task' })
  })
})

describe('a paid image', () => {
  const generations = (calls: readonly string[]) => calls.filter((call) => call.startsWith('generate')).length

  it('is uploaded again when storage fails, and not made again', async () => {
    const { calls, run } = worldOf({ failingPuts: 3 })
    expect(await run()).toEqual(completedWith(metadata, false))
    expect([generations(calls), calls.filter((call) => call === 'put').length]).toEqual([1, 4])
  })

  it('is given up after four uploads', async () => {
    const { calls, run } = worldOf({ failingPuts: 99 })
    const detail = 'upload failed 4 times: TypeError'
    expect(await run()).toEqual({ kind: 'failed', code: 'storage_failed', detail })
    expect(calls.filter((call) => call === 'put')).toHaveLength(4)
  })

  it('of which the answer of storage was lost is found there', async () => {
    const { calls, run } = worldOf({ failingPuts: 1, answerLost: true })
    expect(await run()).toMatchObject({ kind: 'completed', result: { usage, durationMs: 4_000 } })
    expect(generations(calls)).toBe(1)
  })

  it('whose URL cannot be signed at once is signed later', async () => {
    const { calls, run } = worldOf({ failingSigns: 1 })
    expect(await run()).toMatchObject({ kind: 'completed', result: { url, usage } })
    expect(generations(calls)).toBe(1)
  })

  it('gives way to one that was stored meanwhile: that one is the result', async () => {
    const earlier = { ...metadata, durationMs: 1, usage: { ...usage, costUsd: 0.1 } }
    const { run } = worldOf({ storedMeanwhile: earlier })
    expect(await run()).toEqual(completedWith(earlier, true))
  })

  it('is not stored once nobody wants it any more', async () => {
    const { calls, run } = worldOf({ abortedAfterMs: 3_000 })
    expect(await run()).toEqual({ threw: new Error('lost') })
    expect(calls).not.toContain('put')
  })
})

describe('the path of a result', () => {
  it('is the one that front ends know', () => {
    expect(path).toBe(`stores/${store.storeId}/generated/${sessionId}.jpg`)
    expect(resultPath(user, sessionId)).toBe(`generated/${user.userId}/${sessionId}.jpg`)
  })
})
