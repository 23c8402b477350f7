import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FetchOptions, pictureFetcher } from '../../src/pictures/fetch.ts'

const JPEG = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(500)])
const BYTES_MAX = 1_000
const TIMEOUT_MS = 400
const BOMB = gzipSync(Buffer.alloc(50_000_000))
const BROTLI_BOMB = brotliCompressSync(Buffer.alloc(5_000_000))
const { signal } = new AbortController()
const asFetched = async (bytes: Uint8Array) => bytes
const image = (response: ServerResponse, headers: Record<string, string | number> = {}) =>
  response.writeHead(200, { 'content-type': 'image/jpeg', ...headers })
const endless = (response: ServerResponse) => {
  const more = (): void => void (response.destroyed || (response.write(JPEG), setImmediate(more)))
  more()
}

/** What the server does at each path. */
const pages: Record<string, RequestListener> = {
  '/ok': (_, response) => image(response).end(JPEG),
  '/octets': (_, response) => image(response, { 'content-type': 'application/octet-stream' }).end(JPEG),
  '/s3': (_, response) => image(response, { 'content-type': 'binary/octet-stream' }).end(JPEG),
  '/parameters': (_, response) => image(response, { 'content-type': 'image/jpeg; charset=binary' }).end(JPEG),
  '/gzip': (_, response) => image(response, { 'content-encoding': 'gzip' }).end(gzipSync(JPEG)),
  '/limit': (_, response) => image(response).end(Buffer.concat([JPEG, Buffer.alloc(BYTES_MAX - JPEG.length)])),
  '/above': (_, response) => image(response).end(Buffer.concat([JPEG, Buffer.alloc(BYTES_MAX - JPEG.length + 1)])),
  '/long': (_, response) =>
    image(response, { 'content-length': 5_000 }).end(Buffer.concat([JPEG, Buffer.alloc(4_496)])),
  '/endless': (_, response) => endless(image(response)),
  '/bomb': (_, response) => image(response, { 'content-encoding': 'gzip' }).end(BOMB),
  '/brotli-bomb': (_, response) => image(response, { 'content-encoding': 'br' }).end(BROTLI_BOMB),
  '/no-gzip': (_, response) => image(response, { 'content-encoding': 'gzip' }).end(JPEG),
  '/html': (_, response) => image(response, { 'content-type': 'text/html' }).end(JPEG),
  '/untyped': (_, response) => response.writeHead(200).end(JPEG),
  '/svg': (_, response) => image(response, { 'content-type': 'image/svg+xml' }).end('<svg/>'),
  '/lie': (_, response) => image(response).end('<html>'),
  '/empty': (_, response) => image(response).end(),
  '/redirect': (_, response) => response.writeHead(302, { location: '/ok' }).end(),
  '/partial': (_, response) => response.writeHead(206, { 'content-type': 'image/jpeg' }).end(JPEG),
  '/404': (_, response) => response.writeHead(404, { 'content-type': 'image/jpeg' }).end(JPEG),
  '/403': (_, response) => response.writeHead(403).end(),
  '/429': (_, response) => response.writeHead(429).end(),
  '/500': (_, response) => response.writeHead(500).end(),
  '/503': (_, response) => response.writeHead(503).end(),
  '/cut': (_, response) => {
    image(response, { 'content-length': 900 }).write(JPEG, () => response.destroy())
  },
  '/reset': ({ socket }) => socket.destroy(),
  '/silent': () => {},
  '/drip': (_, response) => {
    const drip = setInterval(() => response.write('x'), 20)
    image(response)
      .on('close', () => clearInterval(drip))
      .write(JPEG)
  },
  '/headers': (_, response) => image(response, { 'x-large': 'x'.repeat(40_000) }).end(JPEG),
}

describe('fetching pictures', () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    pages[request.url ?? '']?.(request, response)
  })
  let host: string
  const fetchFrom = async (urls: readonly string[], options: Partial<FetchOptions<Uint8Array>> = {}, stop = signal) => {
    const fetcher = pictureFetcher({
      hosts: [host],
      use: asFetched,
      timeoutMs: TIMEOUT_MS,
      bytesMax: BYTES_MAX,
      ...options,
    })
    try {
      return await fetcher.fetch(urls, stop, 'a store')
    } finally {
      await fetcher.close()
    }
  }
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test.each(['/ok', '/octets', '/s3', '/parameters', '/gzip', '/limit'])('%s brings the picture', async (path) => {
    const pictures = await fetchFrom([`http://${host}${path}`])
    if (!Array.isArray(pictures)) throw new Error(pictures.detail)
    expect(pictures.map((picture) => Buffer.compare(picture.subarray(0, JPEG.length), JPEG))).toEqual([0])
  })

  const REJECTED = [
    '/above',
    '/long',
    '/endless',
    '/bomb',
    '/brotli-bomb',
    '/no-gzip',
    '/html',
    '/untyped',
    '/svg',
    '/lie',
    '/empty',
    '/redirect',
    '/partial',
    '/404',
    '/403',
  ]
  test.each(REJECTED)('%s needs another picture', async (path) => {
    const answer = await fetchFrom([`http://${host}${path}`])
    expect(answer).toMatchObject({ code: 'input_rejected' })
    expect(JSON.stringify(answer)).not.toContain('127.0.0.1')
  })

  test.each(['/429', '/500', '/503', '/cut', '/reset', '/silent', '/drip', '/headers'])(
    '%s may work later',
    async (path) => {
      const answer = await fetchFrom([`http://${host}${path}`])
      expect(answer).toMatchObject({ code: 'input_unavailable' })
      expect(JSON.stringify(answer)).not.toContain('127.0.0.1')
    },
  )

  test('keeps the order, and never follows a redirect', async () => {
    asked.length = 0
    expect(await fetchFrom(['/ok', '/gzip', '/ok'].map((path) => `http://${host}${path}`))).toHaveLength(3)
    await fetchFrom([`http://${host}/redirect`])
    expect(asked.toSorted()).toEqual(['/gzip', '/ok', '/ok', '/redirect'])
  })

  test('the first problem ends the others', async () => {
    const startedAt = performance.now()
    const urls = [`http://${host}/silent`, `http://${host}/404`]
    expect(await fetchFrom(urls, { timeoutMs: 30_000 })).toEqual({
      code: 'input_rejected',
      detail: 'picture 2: answered with status 404',
    })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  test('asks no address that is not allowed, whatever its spelling', async () => {
    asked.length = 0
    const port = host.split(':')[1]
    const spellings = ['127.0.0.1', '127.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost']
    for (const spelling of spellings)
      expect(await fetchFrom([`http://${spelling}:${port}/ok`], { hosts: [] })).toMatchObject({
        code: 'input_rejected',
      })
    expect(asked).toEqual([])
  })

  test('refuses a name with one address that is not public, and connects to what it checked', async () => {
    asked.length = 0
    const port = host.split(':')[1]
    const url = `http://rebind.example.com:${port}/ok`
    const v4 = (address: string) => ({ address, family: 4 })
    const rebound = { hosts: [], resolve: async () => [v4('8.8.8.8'), v4('127.0.0.1')] }
    expect(await fetchFrom([url], rebound)).toMatchObject({ code: 'input_rejected' })
    expect(asked).toEqual([])
    let lookups = 0
    const changing = async () => [v4(++lookups === 1 ? '127.0.0.1' : '10.0.0.1')]
    const named = { hosts: ['rebind.example.com', '127.0.0.1'], resolve: changing }
    expect(await fetchFrom([url], named)).toHaveLength(1)
    expect(lookups).toBe(1)
  })

  test.each([
    ['a name that does not exist', 'http://nowhere.invalid/a', 'input_unavailable'],
    ['a closed port', 'http://127.0.0.1:3/a', 'input_unavailable'],
    ['no URL', 'http://', 'input_rejected'],
    ['another scheme', 'file:///etc/passwd', 'input_rejected'],
  ])('%s', async (_, url, code) => {
    const resolve = async () => Promise.reject(Object.assign(new Error(url), { code: 'ENOTFOUND' }))
    const answer = await fetchFrom([url], { hosts: ['127.0.0.1', 'nowhere.invalid'], resolve })
    expect(answer).toMatchObject({ code })
    expect(JSON.stringify(answer)).not.toMatch(/nowhere|127/)
  })

  test('takes at most ten pictures', async () => {
    const answer = await fetchFrom(Array.from({ length: 11 }, () => `http://${host}/ok`))
    expect(answer).toMatchObject({ code: 'input_rejected' })
  })

  test('throws the reason when it is aborted', async () => {
    const stop = new AbortController()
    const fetching = fetchFrom([`http://${host}/silent`], { timeoutMs: 30_000 }, stop.signal)
    setImmediate(() => stop.abort(new Error('the partition is lost')))
    await expect(fetching).rejects.toThrow('the partition is lost')
  })
})
