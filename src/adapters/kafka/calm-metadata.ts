import { createRequire } from 'node:module'

interface Metadata {
  readonly topicMetadata: readonly {
    readonly partitionMetadata: readonly { readonly partitionErrorCode: number }[]
  }[]
}

interface MetadataAnswer {
  parse: (metadata: Metadata) => Promise<unknown>
}

/** As many as kafkajs knows. */
const VERSIONS = 7
/** No leader now, or a replica that is away: the other partitions are well. */
const OF_ONE_PARTITION = [5, 9]

/**
 * kafkajs throws all that it is told of a cluster away when one partition has no leader: where one broker of many is down and holds
 * the only replica, nobody could reach the others. Such a partition stays without a leader, and says so when it is asked.
 */
export const calmMetadata = (): void => {
  const require = createRequire(import.meta.url)
  for (let version = 0; version < VERSIONS; version++)
    keepWhatHasLeaders(require(`kafkajs/src/protocol/requests/metadata/v${version}/response`) as MetadataAnswer)
}

const keepWhatHasLeaders = (answer: MetadataAnswer): void => {
  const original = answer.parse
  if (original.name === tolerant.name) return
  function tolerant(metadata: Metadata): Promise<unknown> {
    const topicMetadata = metadata.topicMetadata.map((topic) => ({
      ...topic,
      partitionMetadata: topic.partitionMetadata.map((partition) => ({
        ...partition,
        ...(OF_ONE_PARTITION.includes(partition.partitionErrorCode) && { partitionErrorCode: 0 }),
      })),
    }))
    return original({ ...metadata, topicMetadata })
  }
  answer.parse = tolerant
}
