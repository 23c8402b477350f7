import type { Result, Withdrawal } from '../../events/generation.ts'
import type { NoImage } from '../ports/generator.ts'

/** What became of one try of a generation. */
export type GenerationOutcome =
  | { readonly kind: 'completed'; readonly result: Result }
  | ({ readonly kind: 'failed' } & NoImage)
  | { readonly kind: 'withdrawn'; readonly why: Withdrawal; readonly detail: string }
