import { afterAll, beforeAll, describe } from 'vitest'
import { eventLogContract } from '../contracts/event-log.ts'
import { journalReadersContract } from '../contracts/journal-readers.ts'
import { kafkaLogWorld } from '../support/kafka-log-world.ts'
import { hasKafka, type KafkaServer, startKafka } from '../support/kafka-server.ts'

describe.runIf(hasKafka)('on a broker', () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server.stop())

  eventLogContract('kafka', async (shape) => kafkaLogWorld(shape, server.broker))
  journalReadersContract('kafka', async (shape) => kafkaLogWorld(shape, server.broker))
})
