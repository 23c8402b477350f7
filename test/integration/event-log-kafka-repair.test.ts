import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../src/adapters/postgres/embedded.ts'
import { Client } from '../../src/cli/client.ts'
import { SessionId } from '../../src/events/ids.ts'
import { sessionTable } from '../../src/machines/compile.ts'
import { violations } from '../../src/projections/invariants.ts'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import { readEvidence } from '../support/evidence.ts'
import { cutTail } from '../support/kafka-cut.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { publishDrawn, reaches } from '../support/rehearse.ts'
import { end, type Server, startServer, wearon } from '../support/server-process.ts'

/** The journal alone goes back while its owner runs; archive, ledger and pictures stay as they are. */
describe.runIf(hasKafka)('a running process whose journal on Kafka lost its tail', () => {
  let kafka: KafkaServer
  let folder: string
  let server: Server

  beforeAll(async () => {
    ;[kafka, folder] = await Promise.all([startKafka(), newDataFolder()])
    server = await startServer(folder, {
      EVENT_LOG: 'kafka',
      KAFKA_BROKERS: kafka.broker,
      STORE: 'embedded',
      PARTITIONS: '1',
    })
  })
  afterAll(async () => {
    await end(server)
    await kafka.stop()
    await removeFolder(folder)
  })

  const complete = async () => {
    const client = new Client(server.url)
    const session = SessionId.parse(await publishDrawn(client))
    await reaches(client, session, 'completed')
    return session
  }
  const journalEnd = async () => {
    const admin = new Kafka({ brokers: [kafka.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const [journal] = await admin.fetchTopicOffsets('wearon.journal')
    await admin.disconnect()
    return Number(journal?.high)
  }
  const isDamaged = (partitions: readonly number[]) =>
    eventually(async () => {
      const ready = await fetch(`${server.url}/readyz`)
      expect(await ready.json()).toMatchObject({ damaged_partitions: partitions })
    })

  it('says so while it is idle, and one command repairs it from the archive', async () => {
    const kept = await complete()
    const offset = await journalEnd()
    const lost = await complete()
    await kafka.restart(false, (data) => cutTail(data, 'wearon.journal', 0, offset))
    await isDamaged([0])
    const repaired = await wearon(['repair', '0', '--json'], { DATA_DIR: folder })
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(repaired.stdout)).toMatchObject({ restored: 1, kept: 0, voided: 0 })
    await isDamaged([])
    const since = await complete()
    await end(server)
    const sql = await openEmbedded(folder)
    const evidence = await readEvidence(sql, new Set([kept, lost, since]))
    await sql.close()
    expect(violations(sessionTable, evidence, { atRest: true })).toEqual([])
    expect([...evidence.facts.keys()].toSorted()).toEqual([kept, lost, since].toSorted())
  })
})
