import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawGarment } from '../../src/pictures/draw.ts'
import { serveRows, startFetcher } from '../support/attacks/attacked.ts'
import { head, says } from '../support/attacks/wire.ts'
import { makeCertificates } from '../support/tls-redis.ts'

const TIMEOUT_MS = 15_000

describe('pictures behind TLS', () => {
  const certificates = makeCertificates('IP:127.0.0.1')
  const file = (name: string) => join(certificates.folder, name)
  const trusting = startFetcher({ NODE_EXTRA_CA_CERTS: file('ca.crt') })
  const strange = startFetcher()
  const server = createServer({ cert: readFileSync(file('redis.crt')), key: readFileSync(file('redis.key')) })
  let port: number
  let plain: Awaited<ReturnType<typeof serveRows>>
  const ask = async (fetcher: typeof trusting, host: string) => {
    const asked = { url: `https://${host}/`, hosts: [host.replace(/:\d+$/, ''), '127.0.0.1'], timeoutMs: TIMEOUT_MS }
    return (await fetcher.fetch(asked)).answer
  }
  const lost = (code: string) => ({ code: 'input_unavailable', detail: `picture 1: not reached (${code})` })

  beforeAll(async () => {
    const garment = await drawGarment(1)
    server.on('request', (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(garment))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
    plain = await serveRows(new Map([['/', says(head())]]))
  })
  afterAll(async () => {
    trusting.stop()
    strange.stop()
    server.close()
    plain.server.close()
    await certificates.remove()
  })

  test('come from a server that proves its name', async () => {
    expect(await ask(trusting, `127.0.0.1:${port}`)).toBeTypeOf('string')
  })

  test('do not come from one that nobody vouches for', async () => {
    expect(await ask(strange, `127.0.0.1:${port}`)).toEqual(lost('UNABLE_TO_VERIFY_LEAF_SIGNATURE'))
  })

  test('do not come from one with another name', async () => {
    expect(await ask(trusting, `localhost:${port}`)).toEqual(lost('ERR_TLS_CERT_ALTNAME_INVALID'))
  })

  test('do not come from one that speaks no TLS', async () => {
    expect(await ask(trusting, `127.0.0.1:${plain.port}`)).toMatchObject({ code: 'input_unavailable' })
  })
})
