import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { newDataFolder, removeFolder } from '../support/data-folder.ts'
import { cutTail } from '../support/kafka-cut.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'
import { complete, holdsAll, isDamaged, repairOne } from '../support/lost-tail.ts'
import { end, type Server, startServer } from '../support/server-process.ts'

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

  const journalEnd = async () => {
    const admin = new Kafka({ brokers: [kafka.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const [journal] = await admin.fetchTopicOffsets('wearon.journal')
    await admin.disconnect()
    return Number(journal?.high)
  }

  it('says so while it is idle, and one command repairs it from the archive', async () => {
    const kept = await complete(server)
    const offset = await journalEnd()
    const lost = await complete(server)
    await kafka.restart(false, (data) => cutTail(data, 'wearon.journal', 0, offset))
    await isDamaged(server, [0])
    await repairOne(folder)
    await isDamaged(server, [])
    const since = await complete(server)
    await end(server)
    await holdsAll(folder, [kept, lost, since])
  })
})
