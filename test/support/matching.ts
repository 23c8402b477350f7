import { expect } from 'vitest'

/** A text that a pattern describes, at its place inside of what is expected. */
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
