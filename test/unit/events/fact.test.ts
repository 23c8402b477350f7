import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ZodError } from 'zod'
import { Fact, factReader, parseFact } from '../../../src/events/fact.ts'
import { factAt, operator, requested } from '../../support/facts.ts'

const folder = new URL('../../fixtures/facts/', import.meta.url)

/** Every version of every fact that was ever written, as `<type>@<version>`. */
const written = Fact.options.flatMap(({ shape: { type, version } }) =>
  Array.from({ length: version.value }, (_, index) => `${type.value}@${index + 1}`),
)

const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { stored: { type: string; version: number } }

describe('a stored fact', () => {
  it('has one sample for each type and each version that was ever written', () => {
    const samples = readdirSync(folder).map((file) => file.replace('.json', ''))
    expect(samples.toSorted(), 'test/fixtures/facts holds one <type>@<version>.json each').toEqual(written.toSorted())
  })

  it.each(written)('of %s still reads as it did', (name) => {
    const { stored, read } = sample(name) as { stored: { type: string; version: number }; read?: unknown }
    expect(`${stored.type}@${stored.version}`).toBe(name)
    expect(parseFact(stored)).toEqual(read)
  })

  it('survives the way through JSON', () => {
    const fact = factAt(1, requested())
    expect(parseFact(JSON.parse(JSON.stringify(fact)))).toEqual(fact)
  })

  it('carries which request brought it about, where that is traced', () => {
    const traced = { ...factAt(1, requested()), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
    expect(parseFact(traced)).toEqual(traced)
    expect(parseFact(factAt(1, requested()))).not.toHaveProperty('traceparent')
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', []],
    ['an unknown type', { ...factAt(1, requested()), type: 'generation.forgotten' }],
    ['a version that nobody wrote yet', { ...factAt(1, requested()), version: 2 }],
    ['a fact without data', { ...factAt(1, requested()), data: undefined }],
    ['seq 0', { ...factAt(1, requested()), seq: 0 }],
    ['a session that is no UUID', { ...factAt(1, requested()), sessionId: 'session-1' }],
  ])('is refused when it is %s', (_, stored) => {
    expect(() => parseFact(stored)).toThrow(ZodError)
  })
})

describe('an old version of a fact', () => {
  const current = factAt(2, { type: 'generation.cancelled', data: { by: operator } })
  const read = factReader({
    'generation.cancelled@-1': (stored) => ({ ...stored, version: 0, data: { by: stored['by'] } }),
    'generation.cancelled@0': (stored) => ({
      ...stored,
      version: 1,
      data: { by: { role: 'operator', name: (stored['data'] as { by: string }).by } },
    }),
  })

  it('is lifted to the current one', () => {
    expect(read({ ...current, version: 0, data: { by: 'ada' } })).toEqual(current)
  })

  it('is lifted over several versions, one after the other', () => {
    expect(read({ ...current, version: -1, data: {}, by: 'ada' })).toEqual(current)
  })

  it('leaves the current version as it is', () => {
    expect(read(current)).toEqual(current)
  })

  it('does not hang on upcasters that lead nowhere', () => {
    const circular = factReader({ 'generation.cancelled@1': (stored) => stored })
    expect(() => circular(current)).toThrow(/generation\.cancelled@1 do not end/)
  })
})
