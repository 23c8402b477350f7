import { describe, expect, it } from 'vitest'
import { makingLines } from '../../src/cli/making.ts'
import { timeline } from '../../src/cli/timeline.ts'
import type { Result } from '../../src/events/generation.ts'
import { notNoted } from '../../src/events/generation.ts'
import { completed, history, requested, result, started } from '../support/facts.ts'

const made = (changes: Partial<Result>) =>
  history(requested({ prompt: 'a red coat' }), started(), {
    type: 'generation.completed',
    data: { attempt: 1, result: { ...result, ...changes } },
  })

describe('what made an image', () => {
  it('is told by maker, options, request, cost, words and pictures', () => {
    expect(makingLines(history(requested(), started(), completed()))).toEqual([
      'made   openai gpt-image-1.5 (size 1024x1536, quality medium, n 1)',
      'asked  req_provider',
      'cost   $0.206580 for tokens: text in 100, image in 800, text out 0, image out 6240',
      'words  "Dress the person.", our own, sha256 c3',
      'input  1  sha256 a1',
      'input  2  sha256 b2',
    ])
  })

  it('names the words of the task where they were sent', () => {
    const provenance = { ...result.provenance, defaultPrompt: null }
    expect(makingLines(made({ provenance }))).toContain('words  "a red coat", sha256 c3')
  })

  it('says what was not noted', () => {
    const provenance = { ...notNoted, generator: 'unknown', model: 'unknown' }
    const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null }
    expect(makingLines(made({ provenance, usage }))).toEqual([
      'made   unknown unknown',
      'asked  nobody noted the request',
      'cost   $0.000000',
      'words  none noted',
    ])
  })

  it('is nothing for a session without an image', () =>
    expect(makingLines(history(requested(), started()))).toEqual([]))

  it('stands in short in the timeline', () => {
    expect(timeline(made({}))).toMatch(/generation\.completed +made in 31\.00 s by openai gpt-image-1\.5, \$0\.206580$/)
    expect(timeline(made({ found: true }))).toMatch(/found in storage, by openai gpt-image-1\.5, \$0\.206580$/)
  })
})
