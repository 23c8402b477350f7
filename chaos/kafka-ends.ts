import { Kafka, logLevel } from 'kafkajs'

/** Where a topic's partition ended: the offset that its next record gets. */
export interface TopicEnd {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The ends of everything that a log keeps on this broker. */
export const topicEnds = async (broker: string, prefix: string): Promise<TopicEnd[]> => {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`))
    const ends = await Promise.all(
      topics.map(async (topic) => {
        const offsets = await admin.fetchTopicOffsets(topic)
        return offsets.map(({ partition, high }) => ({ topic, partition, offset: Number(high) }))
      }),
    )
    return ends.flat()
  } finally {
    await admin.disconnect()
  }
}

/** Those ends that lie behind by now. */
export const grown = (before: readonly TopicEnd[], now: readonly TopicEnd[]): TopicEnd[] =>
  before.filter(({ topic, partition, offset }) =>
    now.some((one) => one.topic === topic && one.partition === partition && one.offset > offset),
  )
