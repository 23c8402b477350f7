import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEnvironment } from '../../src/app/environment.ts'
import { openLog } from '../../src/app/open-log.ts'
import { readConfig } from '../../src/config.ts'
import { eventually } from '../support/eventually.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { message } from '../support/log-samples.ts'
import { startWorker } from '../support/log-worker.ts'
import { type Certificates, makeCertificates } from '../support/tls-redis.ts'

const login = { username: 'wearon', password: 'not-so-secret' }

describe.runIf(hasKafka)('a broker that asks for TLS and a password', () => {
  let certificates: Certificates
  let server: KafkaServer

  beforeAll(async () => {
    certificates = makeCertificates()
    const keystore = join(certificates.folder, 'keystore.pem')
    const parts = ['redis.key', 'redis.crt', 'ca.crt'].map((name) => readFileSync(join(certificates.folder, name)))
    writeFileSync(keystore, Buffer.concat(parts))
    server = await startKafka([], { ...login, keystore })
  })
  afterAll(async () => {
    await server.stop()
    await certificates.remove()
  })

  const open = (variables: Readonly<Record<string, string>> = {}) => {
    const config = readConfig({
      KAFKA_BROKERS: server.secureBroker,
      KAFKA_CA: join(certificates.folder, 'ca.crt'),
      KAFKA_USERNAME: login.username,
      KAFKA_PASSWORD: login.password,
      PARTITIONS: '2',
      ...variables,
    })
    return openLog(config, openEnvironment('silent'), async () => {
      throw new Error('no database is asked for')
    })
  }

  it.each(['PLAIN', 'SCRAM-SHA-512'])('takes a message, and gives it out, with %s', async (mechanism) => {
    const opened = await open({ KAFKA_SASL_MECHANISM: mechanism })
    const { log } = opened
    const worker = startWorker(log)
    await log.publish([message(1, mechanism)])
    const lease = await eventually(() => worker.lease(1))
    const seen: string[] = []
    await eventually(async () => {
      const taken = await lease.take({ messages: 9, bytes: 1_000 })
      seen.push(...taken.map(({ bytes }) => Buffer.from(bytes).toString()))
      expect(seen).toContain(mechanism)
    })
    await worker.stop()
    await opened.close()
  })

  it('says which variables to look at when it refuses the password, or is not trusted', async () => {
    await expect(open({ KAFKA_PASSWORD: 'wrong' })).rejects.toThrow(/refuses KAFKA_USERNAME, KAFKA_PASSWORD/)
    await expect(open({ KAFKA_SASL_MECHANISM: 'scram-sha-256' })).rejects.toThrow(/KAFKA_SASL_MECHANISM/)
    await expect(open({ KAFKA_CA: '' })).rejects.toThrow(/not trusted, name its authority with KAFKA_CA/)
    await expect(open({ KAFKA_CA: '/nowhere.pem' })).rejects.toThrow(/\/nowhere.pem/)
  })
})
