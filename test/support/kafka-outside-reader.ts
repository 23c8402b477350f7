import { Kafka, logLevel } from 'kafkajs'
import type { OutsideReader } from '../contracts/journal-readers.ts'
import { eventually } from './eventually.ts'

/** A consumer group that registers in the owners' topic and commits offsets, as any consumer of Kafka does. */
export const outsideReader = (
  broker: string,
  prefix: string,
  groupId: string,
): OutsideReader & { close(): Promise<void> } => {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
  const topic = `${prefix}.journal`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 20 })
  const behind = new Map<string, number>()
  const consume = async () => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { headers, offset } }) => {
        behind.set(`${partition}/${String(headers?.['step'])}`, Number(offset) + 1)
      },
    })
  }
  return {
    register: async () => {
      const producer = kafka.producer()
      await producer.connect()
      await producer.send({ topic: `${prefix}.owners`, messages: [{ key: `reader/${groupId}`, value: '1' }] })
      await producer.disconnect()
      await consume()
    },
    report: (partition, number) =>
      eventually(async () => {
        const offset = behind.get(`${partition}/${number}`)
        if (offset === undefined) throw new Error(`step ${number} of partition ${partition} has not come`)
        await consumer.commitOffsets([{ topic, partition, offset: `${offset}` }])
      }),
    close: () => consumer.disconnect(),
  }
}
