import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { type RedisServer, startRedis } from './redis-server.ts'

/** An authority of its own and a certificate from it for `localhost`, as openssl makes them. */
export interface Certificates {
  readonly folder: string
  /** The authority's certificate, PEM. */
  readonly authority: string
  readonly settings: readonly string[]
  remove(): Promise<void>
}

export const makeCertificates = (): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), 'wearon-tls-'))
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test authority')
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  openssl('req', ...key, '-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=redis', '-addext', names)
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy']
  openssl('x509', '-req', '-in', 'redis.csr', '-out', 'redis.crt', ...signing)
  const file = (name: string) => join(folder, name)
  const files = { cert: file('redis.crt'), key: file('redis.key'), 'ca-cert': file('ca.crt') }
  return {
    folder,
    authority: readFileSync(file('ca.crt'), 'utf8'),
    settings: [
      ...Object.entries(files).flatMap(([name, path]) => [`--tls-${name}-file`, path]),
      '--tls-auth-clients',
      'no',
    ],
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export interface TlsRedis extends RedisServer {
  /** `host:port` that speaks TLS. */
  readonly host: string
}

/** A Redis that speaks TLS on a port of its own; the tests' `cli` goes by the plain one. */
export const startTlsRedis = async ({ settings }: Certificates): Promise<TlsRedis> => {
  const port = await anyPort()
  const server = await startRedis(['--tls-port', `${port}`, ...settings])
  return { ...server, host: `localhost:${port}` }
}

const anyPort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createPlainServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** What hosted Redis puts in front: ends TLS, and notes for which name each client asks. */
export const startTlsFront = async ({ folder }: Certificates, url: string) => {
  const names: (string | false | null)[] = []
  const target = new URL(url)
  const server = createServer(
    { key: readFileSync(join(folder, 'redis.key')), cert: readFileSync(join(folder, 'redis.crt')) },
    (client) => {
      names.push(client.servername)
      const upstream = connect(Number(target.port), target.hostname)
      client.pipe(upstream).pipe(client)
      for (const socket of [client, upstream]) socket.on('error', () => undefined)
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  return { names, port: (server.address() as AddressInfo).port, stop: () => server.close() }
}
