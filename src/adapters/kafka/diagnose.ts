import { type Admin, Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { type Diagnosis, fail, ok, partitionsDiagnosis, warn } from '../../machines/ports/diagnosis.ts'
import { explained } from './access.ts'
import { calmKafkajs } from './calm-kafkajs.ts'
import { patience } from './patience.ts'
import { namesOf, topicsOf } from './topics.ts'

/** kafkajs' number for a topic, where its settings are asked for. */
const TOPIC = 2
const PATIENCE_MS = 3_000

/** Says how fit a Kafka is for a log, and changes nothing: topics that are missing are made by the first start. Rejects when none answers. */
export const diagnoseKafka = async (kafka: KafkaConfig, partitions: number): Promise<Diagnosis[]> => {
  calmKafkajs()
  const admin = new Kafka({ ...patience(PATIENCE_MS), logLevel: logLevel.NOTHING, ...kafka }).admin()
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    return [
      ok('kafka', `${brokers.length} ${brokers.length === 1 ? 'broker answers' : 'brokers answer'}`),
      ...(await topicsDiagnoses(admin, partitions)),
    ]
  } catch (error) {
    throw explained(error)
  } finally {
    await admin.disconnect()
  }
}

const topicsDiagnoses = async (admin: Admin, partitions: number): Promise<Diagnosis[]> => {
  const topics = topicsOf('wearon')
  const there = new Set(await admin.listTopics())
  const missing = namesOf(topics).filter((name) => !there.has(name))
  if (missing.length === namesOf(topics).length) return [partitionsDiagnosis(null, partitions)]
  if (missing.length > 0)
    return [
      fail(
        'kafka topics',
        `some are gone: ${missing.join(', ')}`,
        'bring them back, or have the log made anew and repair its partitions from the archive',
      ),
    ]
  const { topics: found } = await admin.fetchTopicMetadata({ topics: [topics.journal] })
  const [journal] = found
  const copies = Math.min(...(journal?.partitions.map(({ replicas }) => replicas.length) ?? [0]))
  return [
    partitionsDiagnosis(journal?.partitions.length ?? null, partitions),
    await keepingDiagnosis(admin, [topics.inbox, topics.journal]),
    copies > 1
      ? ok('kafka copies', `each partition lies on ${copies} brokers`)
      : warn(
          'kafka copies',
          'each partition lies on one broker: its loss loses sessions',
          'raise the replication factor to 3',
        ),
  ]
}

/** A broker that drops records by their age or size drops sessions. */
const keepingDiagnosis = async (admin: Admin, names: readonly string[]): Promise<Diagnosis> => {
  const resources = names.map((name) => ({
    type: TOPIC,
    name,
    configNames: ['retention.ms', 'retention.bytes', 'cleanup.policy'],
  }))
  const { resources: answers } = await admin.describeConfigs({ resources, includeSynonyms: false })
  const wrong = answers.flatMap(({ resourceName, configEntries }) =>
    configEntries
      .filter(({ configName, configValue }) => configValue !== (configName === 'cleanup.policy' ? 'delete' : '-1'))
      .map(({ configName, configValue }) => `${configName}=${configValue} on ${resourceName}`),
  )
  if (wrong.length === 0) return ok('kafka topics', 'keep everything until we drop it ourselves')
  return fail(
    'kafka topics',
    `drop sessions: ${wrong.join(', ')}`,
    'set retention.ms=-1, retention.bytes=-1 and cleanup.policy=delete',
  )
}
