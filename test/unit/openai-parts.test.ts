import { describe, expect, it } from 'vitest'
import { classify } from '../../src/adapters/openai/classify.ts'
import { wordsFor } from '../../src/adapters/openai/prompt.ts'
import { retryAfterMs } from '../../src/adapters/openai/retry-after.ts'
import { usageOf } from '../../src/adapters/openai/usage.ts'

const NOW = Date.UTC(2026, 10, 21, 10)

describe('retryAfterMs', () => {
  it.each([
    [{}, null],
    [{ 'retry-after': '20' }, 20_000],
    [{ 'retry-after': ' 1.5 ' }, 1_500],
    [{ 'retry-after': '86400' }, 86_400_000],
    [{ 'retry-after-ms': '250', 'retry-after': '20' }, 250],
    [{ 'retry-after-ms': 'soon', 'retry-after': '20' }, 20_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT' }, 30_000],
    // Its clock is five minutes behind ours, and counts.
    [{ 'retry-after': 'Sat, 21 Nov 2026 09:55:30 GMT', date: 'Sat, 21 Nov 2026 09:55:00 GMT' }, 30_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': '1e9' }, null],
    [{ 'retry-after': 'Infinity' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
  ])('reads %o as %s', (headers, ms) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), NOW)).toBe(ms)
  })
})

describe('classify', () => {
  it('gives every status one code, whatever its body says', () => {
    for (let status = 100; status < 1_000; status++) {
      const { code, account } = classify({ kind: 'refused', status, code: null, type: null })
      const band = Math.floor(status / 100)
      const expected = {
        4: /^(provider_rejected|provider_unavailable|rate_limited|quota_exhausted)$/,
        5: /^provider_unavailable$/,
      }
      expect(code).toMatch(band === 4 || band === 5 ? expected[band] : /^provider_malformed$/)
      expect(account).toBe(status === 401 || status === 402)
    }
  })

  it('reads the names of refusals in answers below 500 alone', () => {
    const named = (status: number, code: string) => classify({ kind: 'refused', status, code, type: 'x' }).code
    expect([400, 403, 429, 499].map((status) => named(status, 'moderation_blocked'))).toEqual(
      Array(4).fill('moderation_blocked'),
    )
    expect([200, 302, 500, 503].map((status) => named(status, 'insufficient_quota'))).not.toContain('quota_exhausted')
  })

  it('takes a session’s own fault never for the account’s', () => {
    for (const code of ['moderation_blocked', 'invalid_image_file', 'rate_limit_exceeded', null])
      for (const status of [400, 403, 429])
        expect(classify({ kind: 'refused', status, code, type: null }).account).toBe(false)
  })
})

const PRICES = { textIn: 5, imageIn: 8, textOut: 10, imageOut: 32 }
const told = {
  input_tokens: 1_100,
  output_tokens: 1_600,
  input_tokens_details: { text_tokens: 100, image_tokens: 1_000 },
  output_tokens_details: { text_tokens: 0, image_tokens: 1_600 },
}

describe('usageOf', () => {
  it('costs each kind of token by its price', () => {
    expect(usageOf(told, PRICES)).toEqual({
      inputTokens: 1_100,
      outputTokens: 1_600,
      costUsd: 0.0597,
      byKind: { textIn: 100, imageIn: 1_000, textOut: 0, imageOut: 1_600 },
    })
  })

  it('counts tokens of a kind that is not told as the dearer kind, and says that it does not know', () => {
    const usage = usageOf({ ...told, input_tokens_details: null, output_tokens_details: null }, PRICES)
    expect(usage).toEqual({ inputTokens: 1_100, outputTokens: 1_600, costUsd: 0.06, byKind: null })
  })

  it('makes up nothing where nothing was told', () => {
    expect(usageOf(null, PRICES)).toEqual({ inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null })
  })
})

describe('wordsFor', () => {
  it.each(['', '  \n'])('sends our own words for %j', (prompt) => {
    const { prompt: sent, ours } = wordsFor(prompt)
    expect(ours).toBe(sent)
    expect(sent).toMatch(/person in the first image wearing the garment shown in the second/)
    expect(sent.length).toBeLessThanOrEqual(2_000)
  })

  it('sends the words of a task as they are', () => {
    expect(wordsFor(' a red hat ')).toEqual({ prompt: ' a red hat ', ours: null })
  })
})
