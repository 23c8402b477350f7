import { beforeAll, describe, expect, test } from 'vitest'
import { Provenance, Usage } from '../../src/events/generation.ts'
import { SessionId } from '../../src/events/ids.ts'
import type { Generator } from '../../src/machines/ports/generator.ts'

export interface OpenedGenerator {
  readonly generator: Generator
  /** Pictures that it can make an image from: person, garment, accessory. */
  readonly pictures: readonly Uint8Array[]
}

/** What a generator does not do, with the reason; its laws are then listed as not kept, not silently left out. */
export interface GeneratorLimits {
  readonly ignoresPictures?: string
}

const sessionId = SessionId.parse('11111111-1111-4111-8111-111111111111')

/** The promises of Generator. */
export function generatorContract(
  name: string,
  open: () => Promise<OpenedGenerator>,
  limits: GeneratorLimits = {},
): void {
  describe(`generator: ${name}`, () => {
    let opened: OpenedGenerator
    const generate = (pictures: readonly Uint8Array[], signal = new AbortController().signal) =>
      opened.generator.generate({ sessionId, pictures, prompt: 'wear it' }, signal)
    beforeAll(async () => {
      opened = await open()
    })

    test('has a name, and a limit of its provider or none', () => {
      expect(opened.generator.name).toMatch(/^[a-z][a-z0-9-]{0,49}$/)
      expect(opened.generator.requestsPerMinute ?? 1).toBeGreaterThan(0)
    })

    test('makes a JPEG and tells what it cost and what made it', async () => {
      const made = await generate(opened.pictures)
      if ('code' in made) throw new Error(made.detail)
      expect(Buffer.from(made.bytes.subarray(0, 3)).toString('hex')).toBe('ffd8ff')
      expect(Usage.parse(made.usage)).toEqual(made.usage)
      expect(Provenance.parse(made.provenance)).toEqual(made.provenance)
      expect(made.provenance.generator).toBe(opened.generator.name)
    })

    test('names each input by a SHA-256, in order', async () => {
      const forth = await generate(opened.pictures)
      const back = await generate(opened.pictures.toReversed())
      if ('code' in forth || 'code' in back) throw new Error('no image')
      expect(forth.provenance.inputs).toHaveLength(opened.pictures.length)
      for (const input of forth.provenance.inputs) expect(input).toMatch(/^[0-9a-f]{64}$/)
      expect(back.provenance.inputs).toEqual(forth.provenance.inputs.toReversed())
    })

    test('makes nothing once it is aborted, and throws the reason', async () => {
      const reason = new Error('the partition is lost')
      await expect(generate(opened.pictures, AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    test.skipIf(limits.ignoresPictures)(`rejects what is no picture ${limits.ignoresPictures ?? ''}`, async () => {
      const answer = await generate([...opened.pictures.slice(0, 1), new TextEncoder().encode('<svg/> https://secret')])
      expect(answer).toMatchObject({ code: 'input_rejected' })
      expect(JSON.stringify(answer)).not.toMatch(/https?:|secret/)
    })
  })
}
