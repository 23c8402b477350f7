import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FolderObjects, openFolderObjects } from '../../src/adapters/folder/objects.ts'
import { objectsContract } from '../contracts/objects.ts'

const publicUrl = () => 'http://127.0.0.1:8000'
const HOUR_MS = 3_600_000
const JPEG = Buffer.from('ffd8ffe0', 'hex')

objectsContract('folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'objects-'))
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const store = await openFolderObjects({ folder, publicUrl, now })
  return {
    store,
    open: async (url) => {
      const { pathname, searchParams } = new URL(url)
      const found = await store.open(pathname.replace('/objects/', ''), Object.fromEntries(searchParams))
      return typeof found === 'string' ? null : found.bytes
    },
    now,
    pass: async (ms) => {
      aheadMs += ms
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
})

describe('folder', () => {
  let folder: string
  let objects: FolderObjects
  let nowMs: number
  const open = () => openFolderObjects({ folder, publicUrl, now: () => nowMs })
  const signedQuery = async (path: string) => {
    const url = new URL((await objects.sign(path, 6 * HOUR_MS)).url)
    expect(url.pathname).toBe(`/objects/${path}`)
    return { expires: url.searchParams.get('expires'), signature: url.searchParams.get('signature') }
  }
  beforeEach(async () => {
    nowMs = Date.now()
    folder = await mkdtemp(join(tmpdir(), 'objects-'))
    objects = await open()
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('opens an object for its URL until that expires, and for no other URL', async () => {
    await objects.put('a/x.jpg', JPEG, {})
    await objects.put('a/y.jpg', JPEG, {})
    const query = await signedQuery('a/x.jpg')
    expect(await objects.open('a/x.jpg', query)).toEqual({ bytes: JPEG, contentType: 'image/jpeg' })
    expect(await objects.open('a/y.jpg', query)).toBe('forbidden')
    expect(await objects.open('a/x.jpg', { ...query, expires: `${Number(query.expires) + 1}` })).toBe('forbidden')
    expect(await objects.open('a/x.jpg', { ...query, signature: ['x'] })).toBe('forbidden')
    expect(await objects.open('a/x.jpg', {})).toBe('forbidden')
    expect(await objects.open('../../etc/passwd', query)).toBe('forbidden')
    nowMs += 6 * HOUR_MS
    expect(await objects.open('a/x.jpg', query)).toBe('forbidden')
  })

  test('says gone for a signed object that was swept', async () => {
    await objects.put('a/x.jpg', JPEG, {})
    const query = await signedQuery('a/x.jpg')
    await objects.sweep(-HOUR_MS)
    expect(await objects.open('a/x.jpg', query)).toBe('gone')
  })

  test('keeps its secret to itself and over a restart', async () => {
    await objects.put('a/x.jpg', JPEG, {})
    const query = await signedQuery('a/x.jpg')
    expect((await stat(join(folder, '.secret'))).mode & 0o777).toBe(0o600)
    objects = await open()
    expect(await objects.open('a/x.jpg', query)).toHaveProperty('bytes')
  })

  test('agrees on one secret when several processes start at once', async () => {
    await objects.put('a/x.jpg', JPEG, {})
    await rm(join(folder, '.secret'))
    const opened = await Promise.all(Array.from({ length: 8 }, open))
    const urls = await Promise.all(opened.map((each) => each.sign('a/x.jpg', HOUR_MS)))
    expect(new Set(urls.map(({ url }) => url)).size).toBe(1)
  })

  test('takes no notice of what a writer that died left, and deletes it after a while', async () => {
    const left = join(folder, '.staging', 'dead')
    await writeFile(left, 'half a picture')
    expect(await objects.find('dead')).toBeNull()
    await objects.sweep(6 * HOUR_MS)
    expect(await readdir(dirname(left))).toEqual(['dead'])
    nowMs += 2 * HOUR_MS
    await objects.sweep(6 * HOUR_MS)
    expect(await readdir(dirname(left))).toEqual([])
  })

  test('lays metadata beside the picture, and leaves nothing else', async () => {
    await objects.put('a/b/x.jpg', JPEG, { n: 1 })
    const file = objects.fileOf('a/b/x.jpg')
    expect(await readFile(file)).toEqual(JPEG)
    expect(await readFile(`${file}.json`, 'utf8')).toBe('{"n":1}')
    expect(await readdir(join(folder, '.staging'))).toEqual([])
  })

  test('sweeps what is older than asked, with the folders that it empties', async () => {
    await objects.put('old/x.jpg', JPEG, {})
    await objects.put('new/x.jpg', JPEG, {})
    await utimes(dirname(objects.fileOf('old/x.jpg')), 0, nowMs / 1_000 - 7 * 3_600)
    expect(await objects.sweep(6 * HOUR_MS)).toBe(1)
    expect(await objects.find('old/x.jpg')).toBeNull()
    expect(await objects.find('new/x.jpg')).toEqual({})
    expect((await readdir(folder)).toSorted()).toEqual(['.secret', '.staging', 'new'])
    expect(await objects.put('old/x.jpg', JPEG, {})).toBe('stored')
  })

  test('stores while sweeps empty the same folders', async () => {
    const puts = Array.from({ length: 40 }, (_, n) => objects.put(`a/${n % 4}/${n}.jpg`, JPEG, {}))
    const sweeps = Array.from({ length: 20 }, () => objects.sweep(-HOUR_MS))
    expect(await Promise.all(puts)).toEqual(puts.map(() => 'stored'))
    expect((await Promise.all(sweeps)).every((count) => count <= 40)).toBe(true)
  })
})
