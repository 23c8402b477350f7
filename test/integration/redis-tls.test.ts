import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openConnection, type RedisConnection } from '../../src/adapters/redis/connection.ts'
import { eventLogContract } from '../contracts/event-log.ts'
import { redisLogWorld } from '../support/redis-log-world.ts'
import { hasRedis } from '../support/redis-server.ts'
import {
  type Certificates,
  makeCertificates,
  startTlsFront,
  startTlsRedis,
  type TlsRedis,
} from '../support/tls-redis.ts'

/** With every character that a URL gives a meaning of its own. */
const PASSWORD = 'p@ss:w/rd?#%'
/** What hosted Redis keeps from its users. */
const HOSTED = ['+@all', '-config', '-debug', '-shutdown', '-acl', '-bgsave', '-cluster']

describe.runIf(hasRedis)('a Redis that speaks TLS', () => {
  let certificates: Certificates
  let server: TlsRedis
  const opened: RedisConnection[] = []
  const trusted = getCACertificates('default')

  const urlOf = (user: string, host = server.host) => `rediss://${user}:${encodeURIComponent(PASSWORD)}@${host}`
  const open = async (url: string) => {
    const warnings: string[] = []
    opened.push(await openConnection({ url, onWarning: (warning) => warnings.push(warning) }))
    return warnings
  }
  const addUser = (name: string, ...rules: readonly string[]) =>
    server.cli('acl', 'setuser', name, 'on', `>${PASSWORD}`, '~*', '&*', ...rules)

  beforeAll(async () => {
    certificates = makeCertificates()
    // As NODE_EXTRA_CA_CERTS does it at the start of a process.
    setDefaultCACertificates([...trusted, certificates.authority])
    server = await startTlsRedis(certificates)
    addUser('hosted', ...HOSTED)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((redis) => redis.close()))
    setDefaultCACertificates([...trusted, certificates.authority])
  })
  afterAll(async () => {
    setDefaultCACertificates(trusted)
    await server.stop()
    await certificates.remove()
  })

  eventLogContract('redis over TLS, as a user without rights over the server,', async (shape) =>
    redisLogWorld(shape, urlOf('hosted')),
  )

  it('is warned of, and used, when it does not tell what it is', async () => {
    expect(await open(urlOf('hosted'))).toEqual([])
    addUser('silent', ...HOSTED, '-info')
    expect(await open(urlOf('silent'))).toEqual([expect.stringContaining('does not tell its version')])
  })

  it('is told the name for which a client asks, for its news too', async () => {
    const front = await startTlsFront(certificates, server.url)
    await open(`rediss://hosted:${encodeURIComponent(PASSWORD)}@localhost:${front.port}`)
    const news = await opened[0]?.subscribe(
      'news',
      () => undefined,
      () => undefined,
    )
    expect(front.names).toEqual(['localhost', 'localhost'])
    await news?.close()
    front.stop()
  })

  it('is refused with what to do when its certificate is not trusted', async () => {
    setDefaultCACertificates(trusted)
    await expect(open(urlOf('hosted'))).rejects.toThrow(/certificate that is not trusted .*NODE_EXTRA_CA_CERTS/)
  })

  it('is refused with what to do when its certificate is for another name', async () => {
    const front = await startTlsFront(certificates, server.url)
    await expect(open(urlOf('hosted', `127.0.0.2:${front.port}`))).rejects.toThrow(/for another name .*REDIS_URL/)
    front.stop()
  })

  it('is refused with what to do when it does not know the user, or is spoken to without TLS', async () => {
    await expect(open(`rediss://hosted:wrong@${server.host}`)).rejects.toThrow(
      /does not let us in .*password in REDIS_URL/,
    )
    await expect(open(`redis://${server.host}`)).rejects.toThrow(/rediss:\/\//)
  })
})
