import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NoSuchObject, type Objects, type StoredObject } from '../../src/machines/ports/objects.ts'

/** A store opened for the suite, and what the suite needs to look behind it. */
export interface OpenedObjects {
  readonly store: Objects
  /** What whoever holds the URL gets, or null when it is refused or nothing lies there. */
  open(url: string): Promise<Uint8Array | null>
  /** The store's clock, milliseconds since the epoch. */
  now(): number
  /** Lets this time pass, by moving the clock where there is one that can be moved. */
  pass(ms: number): Promise<void>
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
const SHORT_MS = 2_000
/** A store on another machine has a clock of its own. */
const CLOCK_MS = 5_000
const textOf = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Every kind of text and nesting, in keys and values, that a store or its client may change on the way. */
const ODD_METADATA = {
  usage: { input_tokens: 1, 'x-cost': 0.25, by_kind: { text_in: [0, -1.5e-7], none: null } },
  'ключ "☃" 👗': 'ä "☃" \\ \n 👗',
  nul: 'a\0b',
  lone: '\ud83d',
  flags: [true, false, [], {}],
}

/** The promises of Objects. What it stores in a bucket that is not its own it removes again. */
export function objectsContract(name: string, open: () => Promise<OpenedObjects>): void {
  describe(`objects: ${name}`, () => {
    let opened: OpenedObjects
    const folder = `stores/${randomUUID()}/`
    const paths: string[] = []
    const newPath = () => {
      const path = `${folder}generated/3f1c-${paths.length}.jpg`
      paths.push(path)
      return path
    }
    const read = async (path: string) => opened.open((await opened.store.sign(path, VALID_MS)).url)
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened.store.remove(paths)
      await opened.close()
    })

    test('keeps bytes and metadata as they were given', async () => {
      const path = newPath()
      expect(await opened.store.put(path, Uint8Array.of(0, 255, 10, 13), ODD_METADATA)).toBe('stored')
      expect(await opened.store.find(path)).toEqual(ODD_METADATA)
      expect([...((await read(path)) ?? [])]).toEqual([0, 255, 10, 13])
    })

    test('keeps an image of some megabytes, and metadata that no HTTP header could hold', async () => {
      const path = newPath()
      const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251)
      const metadata = { inputs: Array.from({ length: 1_000 }, (_, index) => `${index}`.padStart(64, 'a')) }
      await opened.store.put(path, bytes, metadata)
      expect(await opened.store.find(path)).toEqual(metadata)
      expect(Buffer.compare((await read(path)) ?? new Uint8Array(), bytes)).toBe(0)
    })

    test('never overwrites: the first bytes stay with the first metadata', async () => {
      const path = newPath()
      await opened.store.put(path, bytesOf('first'), { put: 1 })
      expect(await opened.store.put(path, bytesOf('second'), { put: 2 })).toBe('exists')
      expect(textOf(await read(path))).toBe('first')
      expect(await opened.store.find(path)).toEqual({ put: 1 })
    })

    test('lets exactly one of many writers store, and never mixes them', async () => {
      const path = newPath()
      const writers = Array.from({ length: 8 }, (_, writer) => opened.store.put(path, bytesOf(`${writer}`), { writer }))
      const answers = await Promise.all(writers)
      expect(answers.filter((answer) => answer === 'stored')).toHaveLength(1)
      const winner = answers.indexOf('stored')
      expect(await opened.store.find(path)).toEqual({ writer: winner })
      expect(textOf(await read(path))).toBe(`${winner}`)
    })

    test('keeps its own copy of the bytes', async () => {
      const path = newPath()
      const bytes = bytesOf('mine')
      await opened.store.put(path, bytes, {})
      bytes.fill(0)
      expect(textOf(await read(path))).toBe('mine')
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

    test('opens a signed URL until its time, and neither after it nor for another object', async () => {
      const [path, other] = [newPath(), newPath()]
      await opened.store.put(path, bytesOf('x'), {})
      await opened.store.put(other, bytesOf('secret'), {})
      const { url } = await opened.store.sign(path, SHORT_MS)
      expect(textOf(await opened.open(url))).toBe('x')
      expect(await opened.open(url.replace(path, other))).toBeNull()
      await opened.pass(SHORT_MS)
      expect(await opened.open(url)).toBeNull()
    })

    test('signs nothing where nothing lies', async () => {
      await expect(opened.store.sign(newPath(), VALID_MS)).rejects.toThrow(NoSuchObject)
    })

    test('removes objects with their metadata, says how many there were, and takes the path again', async () => {
      const [path, other, never] = [newPath(), newPath(), newPath()]
      expect(await opened.store.remove([path])).toBe(0)
      await opened.store.put(path, bytesOf('first'), { put: 1 })
      await opened.store.put(other, bytesOf('x'), {})
      const { url } = await opened.store.sign(path, VALID_MS)
      expect(await opened.store.remove([path, never, other])).toBe(2)
      expect(await opened.store.find(path)).toBeNull()
      expect(await opened.open(url)).toBeNull()
      expect(await opened.store.remove([path, other])).toBe(0)
      expect(await opened.store.put(path, bytesOf('second'), { put: 2 })).toBe('stored')
      expect(textOf(await read(path))).toBe('second')
    })

    test('lists what lies below a folder, each once with its time, over as many pages as it takes', async () => {
      const before = opened.now()
      const below = `${folder}listed/`
      const listed = Array.from({ length: 7 }, (_, index) => `${below}${index % 2}/${index}.jpg`)
      paths.push(...listed, `${folder}listed-not.jpg`)
      for (const path of paths.slice(-8)) await opened.store.put(path, bytesOf('x'), {})
      const found = await listOf(opened.store, below)
      expect(found.map(({ path }) => path).toSorted()).toEqual(listed.toSorted())
      for (const { storedAtMs } of found) {
        expect(storedAtMs).toBeGreaterThan(before - CLOCK_MS)
        expect(storedAtMs).toBeLessThan(opened.now() + CLOCK_MS)
      }
      expect(await listOf(opened.store, `${folder}nothing/`)).toEqual([])
    })

    test.each(BAD_PATHS)('refuses the path %j everywhere', async (path) => {
      const { store } = opened
      const calls = [
        store.put(path, bytesOf('x'), {}),
        store.find(path),
        store.sign(path, VALID_MS),
        store.remove(['a', path]),
      ]
      for (const outcome of await Promise.allSettled(calls))
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'BadObjectPath' } })
      await expect(listOf(store, `${path}/`)).rejects.toThrow('an object path')
    })
  })
}

const listOf = async (store: Objects, folder: string): Promise<StoredObject[]> => {
  const found: StoredObject[] = []
  for await (const one of store.list(folder)) found.push(one)
  return found
}
