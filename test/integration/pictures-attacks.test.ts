import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pictureFetcher } from '../../src/pictures/fetch.ts'
import { preparePicture } from '../../src/pictures/prepare.ts'
import { addresses, NAMES } from '../support/attacks/addresses.ts'
import { serveRows, startFetcher } from '../support/attacks/attacked.ts'
import { type PictureAttack, pictures } from '../support/attacks/pictures.ts'
import { SLOW_MS, servers, TOO_LATE } from '../support/attacks/servers.ts'
import { head, says } from '../support/attacks/wire.ts'

/** The largest picture that is taken in memory, beside the process itself: 512 MB, and what it came in. */
const PEAK_MB_MAX = 750
/** Nothing may be waited for longer than a server that is just slow; a machine at work gets twice that. */
const TOOK_MS_MAX = 10_000
const TIMEOUT_MS = 15_000

describe('addresses that must not be asked', () => {
  let trap: Server
  let connections = 0
  const resolve = async (host: string) =>
    (NAMES[host.toLowerCase().replace(/\.$/, '')] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
  const fetcher = pictureFetcher({ hosts: [], use: preparePicture, resolve, timeoutMs: 2_000 })
  const refuses = (url: string, refused: string) => async () => {
    const port = (trap.address() as AddressInfo).port
    const answer = await fetcher.fetch([url.replace('PORT', `${port}`)], new AbortController().signal, 'a store')
    expect(answer).toEqual({ code: 'input_rejected', detail: `picture 1: ${refused}` })
    expect(connections).toBe(0)
  }
  beforeAll(async () => {
    trap = createServer((socket) => {
      connections++
      socket.destroy()
    })
    await once(trap.listen(0), 'listening')
  })
  afterAll(async () => {
    trap.close()
    await fetcher.close()
  })

  for (const [what, url, refused] of addresses) test(`${what}: ${url}`, refuses(url, refused))

  test('a name that leads elsewhere at the second look', async () => {
    let looks = 0
    const rebinding = async () => [{ address: ++looks === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }]
    const asking = pictureFetcher({ hosts: [], use: preparePicture, resolve: rebinding, timeoutMs: 2_000 })
    const url = `http://rebinding.example.com:${(trap.address() as AddressInfo).port}/`
    for (let tries = 1; tries <= 3; tries++)
      expect(await asking.fetch([url], new AbortController().signal, 'a store')).toMatchObject({
        code: 'input_rejected',
      })
    await asking.close()
    // Each try looks once, so that no answer but the one that was checked is ever connected to.
    expect([looks, connections]).toEqual([3, 0])
  })
})

describe('servers and pictures that mean no good', () => {
  const fetcher = startFetcher()
  let made: readonly PictureAttack[]
  let attacked: Awaited<ReturnType<typeof serveRows>>
  const ask = (path: string, timeoutMs = TIMEOUT_MS) => {
    const hosts = [`127.0.0.1:${attacked.port}`]
    return fetcher.fetch({ url: `http://${hosts[0]}${path}`, hosts, timeoutMs })
  }
  const withinBounds = ({ tookMs, peakMb }: { tookMs: number; peakMb: number }) => {
    expect(tookMs).toBeLessThan(TOOK_MS_MAX)
    expect(peakMb).toBeLessThan(PEAK_MB_MAX)
  }
  beforeAll(async () => {
    made = await pictures()
    attacked = await serveRows(
      new Map([
        ...servers.map(([, serve], row) => [`/servers/${row}`, serve] as const),
        ...made.map(([, bytes], row) => [`/pictures/${row}`, says(head(), bytes)] as const),
      ]),
    )
  })
  afterAll(() => {
    fetcher.stop()
    attacked.server.close()
  })

  for (const [row, [what, , ends]] of servers.entries())
    test(`server: ${what}`, async () => {
      const answered = await ask(`/servers/${row}`, ends === TOO_LATE ? SLOW_MS : TIMEOUT_MS)
      expect(answered.answer).toEqual({ ...ends, detail: `picture 1: ${ends.detail}` })
      withinBounds(answered)
    })

  test('pictures: each ends as its row says, and nothing but pixels comes through', async () => {
    const ended: [string, unknown][] = []
    for (const [row, [what]] of made.entries()) {
      const answered = await ask(`/pictures/${row}`)
      withinBounds(answered)
      const isPicture = typeof answered.answer === 'string'
      ended.push([what, isPicture ? 'prepared' : answered.answer])
      if (typeof answered.answer === 'string') await onlyPixels(Buffer.from(answered.answer, 'base64'))
    }
    const expected = made.map(([what, , ends]) => [
      what,
      ends === 'prepared' ? ends : { ...ends, detail: `picture 1: ${ends.detail}` },
    ])
    expect(ended).toEqual(expected)
  })
})

const onlyPixels = async (bytes: Buffer) => {
  expect(bytes.subarray(0, 3).toString('hex')).toBe('ffd8ff')
  expect(bytes.toString('latin1')).not.toMatch(/script|alert/)
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', channels: 3, space: 'srgb' })
}
