import type { Cluster, Kafka } from 'kafkajs'

/** The cluster of a client, which kafkajs hands out to nobody but partition assigners. */
export const clusterOf = (kafka: Kafka): Cluster => {
  let found: Cluster | null = null
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: NOTHING }),
        }
      },
    ],
  })
  if (found === null) throw new Error('kafkajs did not hand out its cluster')
  return found
}

const NOTHING = Buffer.alloc(0)
