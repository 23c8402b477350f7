import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObjectStore } from '../../src/machines/ports/objects.ts'

/** A store opened for the suite, and what the suite needs to look behind it. */
export interface OpenedObjects {
  readonly store: ObjectStore
  /** What lies at the path, read as whoever holds a URL reads it. */
  read(path: string): Promise<Uint8Array | null>
  /** The store's clock, milliseconds since the epoch. */
  now(): number
  close(): Promise<void>
}

const BAD_PATHS = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a\\b',
  'a/.b',
  'a b',
  'a?b',
  'a%2e',
  'a\0',
  'ä',
]
const VALID_MS = 21_600_000
const textOf = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The promises of ObjectStore. */
export function objectsContract(name: string, open: () => Promise<OpenedObjects>): void {
  describe(`objects: ${name}`, () => {
    let opened: OpenedObjects
    let count = 0
    const newPath = () => `stores/s-${++count}/generated/3f1c.jpg`
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())

    test('keeps bytes and metadata as they were given', async () => {
      const path = newPath()
      const metadata = { usage: { inputTokens: 1, costUsd: 0.25 }, inputs: ['a', 'b'], none: null, text: 'ä "☃"' }
      expect(await opened.store.put(path, Uint8Array.of(0, 255, 10, 13), metadata)).toBe('stored')
      expect(await opened.store.find(path)).toEqual(metadata)
      expect([...((await opened.read(path)) ?? [])]).toEqual([0, 255, 10, 13])
    })

    test('never overwrites: the first bytes stay with the first metadata', async () => {
      const path = newPath()
      await opened.store.put(path, bytesOf('first'), { put: 1 })
      expect(await opened.store.put(path, bytesOf('second'), { put: 2 })).toBe('exists')
      expect(textOf(await opened.read(path))).toBe('first')
      expect(await opened.store.find(path)).toEqual({ put: 1 })
    })

    test('lets exactly one of many writers store, and never mixes them', async () => {
      const path = newPath()
      const writers = Array.from({ length: 8 }, (_, writer) => opened.store.put(path, bytesOf(`${writer}`), { writer }))
      const answers = await Promise.all(writers)
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1)
      const winner = answers.indexOf('stored')
      expect(await opened.store.find(path)).toEqual({ writer: winner })
      expect(textOf(await opened.read(path))).toBe(`${winner}`)
    })

    test('keeps its own copy of the bytes', async () => {
      const path = newPath()
      const bytes = bytesOf('mine')
      await opened.store.put(path, bytes, {})
      bytes.fill(0)
      expect(textOf(await opened.read(path))).toBe('mine')
    })

    test('finds nothing where nothing was stored, beside and below stored ones too', async () => {
      const path = newPath()
      expect(await opened.store.find(path)).toBeNull()
      await opened.store.put(path, bytesOf('x'), {})
      expect(await opened.store.find(`${path}.json`)).toBeNull()
      expect(await opened.store.find(`${path}/x`)).toBeNull()
      expect(await opened.store.find('stores')).toBeNull()
    })

    test('signs a URL for the time asked for, to the second', async () => {
      const path = newPath()
      await opened.store.put(path, bytesOf('x'), {})
      const before = opened.now()
      const { url, expiresAt } = await opened.store.sign(path, VALID_MS)
      expect(url).toContain(path)
      expect(Date.parse(expiresAt)).toBeGreaterThan(before + VALID_MS - 1_001)
      expect(Date.parse(expiresAt)).toBeLessThanOrEqual(opened.now() + VALID_MS)
    })

    test.each(BAD_PATHS)('refuses the path %j everywhere', async (path) => {
      await expect(opened.store.put(path, bytesOf('x'), {})).rejects.toThrow('an object path')
      await expect(opened.store.find(path)).rejects.toThrow('an object path')
      await expect(opened.store.sign(path, VALID_MS)).rejects.toThrow('an object path')
    })
  })
}
