import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import { startKafka } from '../../test/support/kafka-server.ts'
import { benchEnvironment } from '../support/environment.ts'
import { PARTITIONS } from './redis-log.ts'
import type { LogPlace } from './sql-log.ts'

/** Sessions: for as many a broker that was just started is busy compiling its own code. */
export const KAFKA_WARM_UP = 40_000

/** A broker of our own. Its topics stay from one opening to the next: all their sessions have ended. */
export const kafkaPlace = async (): Promise<LogPlace> => {
  const server = await startKafka()
  const { clock, newId } = benchEnvironment
  return {
    open: async () => {
      const log = await openKafkaLog({ kafka: { brokers: [server.broker] }, partitions: PARTITIONS, clock, newId })
      return { log, close: () => log.close() }
    },
    close: () => server.stop(),
  }
}
