import { z } from 'zod'
import type { Usage } from '../../events/generation.ts'

/** USD per million tokens, by kind. */
export interface TokenPrices {
  readonly textIn: number
  readonly imageIn: number
  readonly textOut: number
  readonly imageOut: number
}

const Tokens = z.int().nonnegative()
const Details = z.object({ text_tokens: Tokens, image_tokens: Tokens }).nullish().catch(null)

/** The `usage` of an answer. */
export const AnsweredUsage = z.object({
  input_tokens: Tokens,
  output_tokens: Tokens,
  input_tokens_details: Details,
  output_tokens_details: Details,
})

/**
 * Tokens and their cost in USD, to a millionth. Where the provider does not tell kinds apart, all count as image tokens, the dearer
 * kind; null: it told nothing, and nothing is made up.
 */
export const usageOf = (told: z.infer<typeof AnsweredUsage> | null, prices: TokenPrices): Usage => {
  if (told === null) return { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null }
  const { input_tokens: inputTokens, output_tokens: outputTokens } = told
  const into = told.input_tokens_details ?? { text_tokens: 0, image_tokens: inputTokens }
  const out = told.output_tokens_details ?? { text_tokens: 0, image_tokens: outputTokens }
  const byKind = {
    textIn: into.text_tokens,
    imageIn: into.image_tokens,
    textOut: out.text_tokens,
    imageOut: out.image_tokens,
  }
  const known = Boolean(told.input_tokens_details && told.output_tokens_details)
  return { inputTokens, outputTokens, costUsd: costUsd(byKind, prices), byKind: known ? byKind : null }
}

/** The database keeps six digits. */
const costUsd = (tokens: TokenPrices, prices: TokenPrices): number =>
  Math.round(
    tokens.textIn * prices.textIn +
      tokens.imageIn * prices.imageIn +
      tokens.textOut * prices.textOut +
      tokens.imageOut * prices.imageOut,
  ) / 1_000_000
