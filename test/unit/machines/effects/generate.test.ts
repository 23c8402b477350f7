import { describe, expect, it } from 'vitest'
import { SessionId } from '../../../../src/events/ids.ts'
import { type GenerateParts, generate, URL_VALID_MS } from '../../../../src/machines/effects/generate.ts'
import { resultPath } from '../../../../src/machines/effects/paths.ts'
import type { MadeImage, NoImage } from '../../../../src/machines/ports/generator.ts'
import type { ObjectMetadata, ObjectStore } from '../../../../src/machines/ports/objects.ts'
import type { Wanted } from '../../../../src/machines/ports/platform.ts'
import type { Snapshot } from '../../../../src/machines/snapshot.ts'
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
  /** The platform's row, or storage, cannot be asked. */
  down?: 'row' | 'storage'
  /** Uploads whose answer never comes, from the first. */
  hangingPuts?: number
  /** How many uploads and signatures fail first. */
  failingPuts?: number
  failingSigns?: number
  /** A failing upload stores its image all the same: only its answer is lost. */
  answerLost?: boolean
}

const worldOf = (world: World) => {
  const clock = new VirtualClock()
  const calls: string[] = []
  const parts: GenerateParts = {
    clock,
    platform: {
      look: async () => {
        if (world.down === 'row') throw new TypeError('secret')
        return (calls.includes('put') ? world.wantedLater : world.wanted) ?? { wanted: true }
      },
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
  /** One try, which is told to stop after so many ms. Lets time pass until it has ended. */
  const run = async (session = given(requested({ prompt: 'coat' }), started()).session, stoppedAfterMs = 60_000) => {
    const abort = new AbortController()
    void clock.sleep(stoppedAfterMs).then(() => abort.abort(new Error('lost')))
    const ended = effect(session, abort.signal).catch((error: unknown) => ({ threw: error }))
    await clock.advance(60_000)
    return ended
  }
  return { calls, clock, run }
}

const objectsOf = (world: World, calls: string[]): ObjectStore => {
  const { failingPuts = 0, failingSigns = 0, hangingPuts = 0, answerLost } = world
  let there = world.stored
  let putsLeft = failingPuts
  let signsLeft = failingSigns
  return {
    put: async (_path, _bytes, sent) => {
      calls.push('put')
      there ??= world.storedMeanwhile
      if (puts(calls) <= hangingPuts) await new Promise<never>(() => {})
      const taken = there !== undefined
      if (putsLeft <= 0 || answerLost) there ??= sent
      if (putsLeft-- > 0) throw new TypeError('no connection')
      return taken ? 'exists' : 'stored'
    },
    find: async () => {
      if (world.down === 'storage') throw new TypeError('secret')
      return there ?? null
    },
    sign: async (signed, validMs) => {
      if (signsLeft-- > 0) throw new TypeError('no connection')
      return { url: `https://images.example/${signed}`, expiresAt: new Date(START_MS + validMs).toISOString() }
    },
  }
}

const generations = (calls: readonly string[]) => calls.filter((call) => call.startsWith('generate')).length
const puts = (calls: readonly string[]) => calls.filter((call) => call === 'put').length
const sessionNumber = (index: number): Snapshot => ({
  ...given(requested(), started()).session,
  id: SessionId.parse(`0190b5f8-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`),
})
const uploadFailed = { kind: 'failed', code: 'storage_failed', detail: 'the upload failed: TypeError' }

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

  it.each([
    ['row', 'platform_unavailable', 'the row failed: TypeError'],
    ['storage', 'storage_failed', 'the look into storage failed: TypeError'],
  ] as const)('pays for nothing while the %s cannot be asked', async (down, code, detail) => {
    const { calls, run } = worldOf({ down })
    expect(await run()).toEqual({ kind: 'failed', code, detail })
    expect(calls).toEqual([])
  })

  it('takes an image that was stored before its words and options were noted', async () => {
    const { byKind: _, ...tokens } = usage
    const { generator, model, providerRequestId, inputs } = provenance
    const old = { usage: tokens, provenance: { generator, model, providerRequestId, inputs }, durationMs: 4_000 }
    const { run } = worldOf({ stored: old })
    expect(await run()).toMatchObject({
      result: {
        usage: { ...tokens, byKind: null },
        provenance: { ...old.provenance, parameters: {}, promptSha256: null },
        durationMs: 4_000,
      },
    })
  })

  it('fails a session that has no owner', async () => {
    const { run } = worldOf({})
    expect(await run(given(rejected('x')).session)).toMatchObject({ kind: 'failed', code: 'invalid_task' })
  })
})

describe('a paid image', () => {
  it('that storage does not take is kept, and only uploaded at the next tries', async () => {
    const { calls, run } = worldOf({ failingPuts: 3 })
    for (let tries = 0; tries < 3; tries++) expect(await run()).toEqual(uploadFailed)
    expect(await run()).toEqual(completedWith(metadata, false))
    expect([generations(calls), puts(calls)]).toEqual([1, 4])
  })

  it('whose upload hangs is kept when the try has to stop', async () => {
    const { calls, run } = worldOf({ hangingPuts: 1 })
    expect(await run(undefined, 30_000)).toMatchObject({ code: 'storage_failed', detail: 'the upload took too long' })
    expect(await run()).toEqual(completedWith(metadata, false))
    expect(generations(calls)).toBe(1)
  })

  it('that came when the try had to stop is kept for the next one', async () => {
    const { calls, run } = worldOf({})
    expect(await run(undefined, 3_000)).toEqual({ threw: new Error('lost') })
    expect(calls).not.toContain('put')
    expect(await run()).toEqual(completedWith(metadata, false))
    expect(generations(calls)).toBe(1)
  })

  it('is the last one that is paid for while too many wait for storage', async () => {
    const { calls, clock, run } = worldOf({ failingPuts: 99 })
    const sessions = Array.from({ length: 33 }, (_, index) => sessionNumber(index))
    for (const session of sessions.slice(0, 32)) void run(session)
    await clock.advance(5_000)
    const full = { code: 'storage_failed', detail: 'too many paid images wait for storage to pay for more' }
    expect(await run(sessions[32])).toMatchObject(full)
    expect(await run(sessions[0])).toEqual(uploadFailed)
    expect(generations(calls)).toBe(32)
    // Nobody has asked for the others so long that their sessions must have ended, or be elsewhere.
    await clock.advance(600_000)
    expect(await run(sessions[32])).toEqual(uploadFailed)
    expect(generations(calls)).toBe(33)
  })

  it('of which the answer of storage was lost is found there', async () => {
    const { calls, run } = worldOf({ failingPuts: 1, answerLost: true })
    expect(await run()).toEqual(uploadFailed)
    expect(await run()).toEqual(completedWith(metadata, true))
    expect(generations(calls)).toBe(1)
  })

  it('whose URL cannot be signed is found and signed at the next try', async () => {
    const { calls, run } = worldOf({ failingSigns: 1 })
    expect(await run()).toMatchObject({ code: 'storage_failed', detail: 'the signature failed: TypeError' })
    expect(await run()).toEqual(completedWith(metadata, true))
    expect(generations(calls)).toBe(1)
  })

  it('gives way to one that was stored meanwhile: that one is the result', async () => {
    const earlier = { ...metadata, durationMs: 1, usage: { ...usage, costUsd: 0.1 } }
    const { run } = worldOf({ storedMeanwhile: earlier })
    expect(await run()).toEqual(completedWith(earlier, true))
  })
})

describe('the path of a result', () => {
  it('is the one that front ends know', () => {
    expect(path).toBe(`stores/${store.storeId}/generated/${sessionId}.jpg`)
    expect(resultPath(user, sessionId)).toBe(`generated/${user.userId}/${sessionId}.jpg`)
  })
})
