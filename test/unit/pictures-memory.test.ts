import { describe, expect, test } from 'vitest'
import { memoryGenerator } from '../../src/adapters/memory/generator.ts'
import { memoryObjects } from '../../src/adapters/memory/objects.ts'
import { refusals, rehearse } from '../../src/adapters/preview/rehearsal.ts'
import { SessionId } from '../../src/events/ids.ts'
import { generatorContract } from '../contracts/generator.ts'
import { objectsContract } from '../contracts/objects.ts'

const session = (digit: number) => SessionId.parse(`${String(digit).repeat(8)}-1111-4111-8111-111111111111`)
const request = (digit: number) => ({ sessionId: session(digit), pictures: [], prompt: '' })
const { signal } = new AbortController()

objectsContract('memory', async () => {
  let nowMs = 1_800_000_000_000
  const store = memoryObjects(() => nowMs)
  return {
    store,
    open: (url) => store.open(url),
    now: () => nowMs,
    pass: async (ms) => {
      nowMs += ms
    },
    close: async () => {},
  }
})

generatorContract(
  'memory',
  async () => ({ generator: memoryGenerator(), pictures: [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] }),
  { ignoresPictures: '(it never looks at them: a simulation has none)' },
)

describe('memory generator', () => {
  test('ends each call as its script says, and counts the calls of each session', async () => {
    const generator = memoryGenerator({ script: ({ number }) => (number === 1 ? refusals.rateLimit(50) : 'image') })
    expect(await generator.generate(request(1), signal)).toMatchObject({ code: 'rate_limited', retryAfterMs: 50 })
    expect(await generator.generate(request(1), signal)).toHaveProperty('bytes')
    expect(await generator.generate(request(2), signal)).toHaveProperty('code')
    expect([generator.callsOf(session(1)), generator.callsOf(session(2)), generator.calls.length]).toEqual([2, 1, 3])
  })

  test('hangs until it is aborted', async () => {
    const stop = new AbortController()
    const hanging = memoryGenerator({ script: () => 'hang' }).generate(request(1), stop.signal)
    stop.abort(new Error('enough'))
    await expect(hanging).rejects.toThrow('enough')
  })
})

describe('rehearsal', () => {
  test('plays the refusals of the named session in order, then asks the generator; others never notice', async () => {
    const generator = memoryGenerator()
    const rehearsed = rehearse(generator, new Map([[session(1), [refusals.rateLimit(7), refusals.moderation]]]))
    expect(await rehearsed.generate(request(2), signal)).toHaveProperty('bytes')
    expect(await rehearsed.generate(request(1), signal)).toMatchObject({ code: 'rate_limited', retryAfterMs: 7 })
    expect(await rehearsed.generate(request(1), signal)).toMatchObject({ code: 'moderation_blocked' })
    expect(await rehearsed.generate(request(1), signal)).toHaveProperty('bytes')
    expect(generator.calls).toHaveLength(2)
  })
})
