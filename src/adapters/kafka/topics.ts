import { type Admin, type ITopicMetadata, Kafka, type KafkaConfig } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import { WrongPartitionCount } from '../../machines/ports/event-log.ts'

/** The topics of one log. */
export interface Topics {
  /** Commands, N partitions. */
  readonly inbox: string
  /** Claims, commits and checkpoints, N partitions. */
  readonly journal: string
  /** Who said to own what, only a hint: the claim in the journal decides. And who reads the journals. Compacted. */
  readonly owners: string
  /** Messages that nobody could work on, by id. */
  readonly letters: string
  /** The log's identity: its first record. */
  readonly log: string
}

export const topicsOf = (prefix: string): Topics => ({
  inbox: `${prefix}.inbox`,
  journal: `${prefix}.journal`,
  owners: `${prefix}.owners`,
  letters: `${prefix}.letters`,
  log: `${prefix}.log`,
})

export const namesOf = ({ inbox, journal, owners, letters, log }: Topics): string[] => [
  inbox,
  journal,
  owners,
  letters,
  log,
]

/** A commit holds a few hundred sessions; a broker's own bound of 1 MB is too low for it. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** We drop records ourselves; no clock and no size of the broker's may do so. */
const KEEP = [
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: '-1' },
  { name: 'retention.bytes', value: '-1' },
  { name: 'max.message.bytes', value: `${MESSAGE_BYTES_MAX}` },
]

/** New topics are known to all brokers some tens of milliseconds after they were made. */
const LOOK_AGAIN_MS = 50
const LOOKS_MAX = 200

/** Creates what is missing, and waits until it can be used. Replicas are the brokers' default. @throws WrongPartitionCount */
export const createTopics = async (
  config: KafkaConfig,
  topics: Topics,
  partitions: number,
  clock: Clock,
): Promise<void> => {
  const admin = new Kafka(config).admin()
  await admin.connect()
  try {
    const existing = new Set(await admin.listTopics())
    const missing = wanted(topics, partitions).filter(({ topic }) => !existing.has(topic))
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: false })
    const found = await usable(admin, namesOf(topics), new Set(missing.map(({ topic }) => topic)), clock)
    const wrong = found.find(({ name, partitions: { length } }) => isSplit(topics, name) && length !== partitions)
    if (wrong !== undefined) throw new WrongPartitionCount(wrong.partitions.length, partitions)
  } finally {
    await admin.disconnect()
  }
}

const isSplit = ({ inbox, journal }: Topics, topic: string) => topic === inbox || topic === journal

const wanted = ({ inbox, journal, owners, letters, log }: Topics, partitions: number) => [
  { topic: inbox, numPartitions: partitions, configEntries: KEEP },
  { topic: journal, numPartitions: partitions, configEntries: KEEP },
  { topic: owners, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
  { topic: letters, numPartitions: 1, configEntries: KEEP },
  { topic: log, numPartitions: 1, configEntries: KEEP },
]

/** Waits for the leaders of new topics; an older one may miss some, while their brokers are down. */
const usable = async (
  admin: Admin,
  topics: string[],
  isNew: ReadonlySet<string>,
  clock: Clock,
): Promise<ITopicMetadata[]> => {
  for (let looks = 1; ; looks++) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics })
      const waits = found.some(({ name, partitions }) => isNew.has(name) && partitions.some(({ leader }) => leader < 0))
      if (!waits) {
        // A leader may be named before it knows of it.
        await Promise.all([...isNew].map((topic) => admin.fetchTopicOffsets(topic)))
        return found
      }
    } catch (error) {
      if (looks === LOOKS_MAX) throw error
    }
    if (looks === LOOKS_MAX) throw new Error(`the topics ${topics.join(', ')} have no leaders`)
    await clock.sleep(LOOK_AGAIN_MS)
  }
}
