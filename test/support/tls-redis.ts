import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer as createPlainServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { eventually } from './eventually.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

/** An authority of its own and a certificate from it, as openssl makes them. */
export interface Certificates {
  readonly folder: string
  /** The authority's certificate, PEM. */
  readonly authority: string
  readonly settings: readonly string[]
  remove(): Promise<void>
}

/** @param names for which the certificate is good. */
export const makeCertificates = (names = 'DNS:localhost,IP:127.0.0.1'): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), 'wearon-tls-'))
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test authority')
  const request = ['-out', 'redis.csr', '-subj', '/CN=redis', '-addext', `subjectAltName=${names}`]
  openssl('req', ...key, '-keyout', 'redis.key', ...request)
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

/** A cluster whose nodes name each other by their host's name, as hosted ones do. Answers `host:port` of one. */
export const startTlsCluster = async ({ settings, folder }: Certificates) => {
  const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
  const cluster = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', ...names]
  const ports = await Promise.all([anyBusPort(), anyBusPort(), anyBusPort()])
  const nodes = await Promise.all(ports.map((port) => startRedis(['--tls-port', `${port}`, ...cluster, ...settings])))
  const tls = ['--tls', '--cacert', join(folder, 'ca.crt')]
  const hosts = ports.map((port) => `127.0.0.1:${port}`)
  execFileSync('redis-cli', [...tls, '--cluster', 'create', ...hosts, '--cluster-yes'], { stdio: 'ignore' })
  await eventually(() => {
    for (const node of nodes)
      if (!node.cli('cluster', 'info').includes('cluster_state:ok')) throw new Error('the cluster is not ready')
  })
  return { host: `localhost:${ports[0]}`, stop: () => Promise.all(nodes.map((node) => node.stop())) }
}

/** A node of a cluster also listens 10,000 above its port. */
const anyBusPort = async (): Promise<number> => {
  for (;;) {
    const port = await anyPort()
    if (port < 55_000) return port
  }
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
