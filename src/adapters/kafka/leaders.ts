import { type Broker, type Cluster, Kafka, type KafkaConfig } from 'kafkajs'
import { clusterOf } from './cluster.ts'

interface PartitionOf {
  readonly topic: string
  readonly partition: number
}

/** As brokers name it. */
const NO_LEADER = '-1'

/** Who leads which partition, and connections to them; of its own, since kafkajs' clients share none. */
export class Leaders {
  readonly #cluster: Cluster
  readonly #topics: string[]
  #connected: Promise<void> | null = null

  constructor(config: KafkaConfig, topics: readonly string[]) {
    this.#cluster = clusterOf(new Kafka(config))
    this.#topics = [...topics]
  }

  /** Looks the leaders up, unless they are known. */
  async connect(): Promise<void> {
    this.#connected ??= (async () => {
      await this.#cluster.connect()
      await this.#cluster.addMultipleTargetTopics(this.#topics)
      await this.#cluster.refreshMetadata()
    })()
    await this.#connected.catch((error: unknown) => {
      this.#connected = null
      throw error
    })
  }

  /** The leaders are looked up again before the next question: stale knowledge is the usual reason for a failed one. */
  forget(): void {
    this.#connected = null
  }

  /** What is asked for, by the broker that leads it, as far as is known. */
  async by<Asked extends PartitionOf>(asked: readonly Asked[]): Promise<Map<string, Asked[]>> {
    await this.connect()
    return Map.groupBy(asked, (one) => this.#leaderOf(one))
  }

  /** The broker that led a partition when it was last looked up; empty before. */
  hint(partition: PartitionOf): string {
    return this.#connected === null ? '' : this.#leaderOf(partition)
  }

  partitionsOf(topic: string): number[] {
    return this.#cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
  }

  /** @throws when nothing connects to it. */
  broker(leader: string): Promise<Broker> {
    return this.#cluster.findBroker({ nodeId: leader })
  }

  leaderOf(partition: PartitionOf): Promise<Broker> {
    return this.broker(this.#leaderOf(partition))
  }

  /** The first offsets of a topic's partitions, or those behind the last that is acknowledged. */
  async offsets(topic: string, partitions: readonly number[], fromBeginning: boolean): Promise<Map<number, number>> {
    const asked = partitions.map((partition) => ({ partition }))
    const [answer] = await this.#cluster.fetchTopicsOffset([{ topic, partitions: asked, fromBeginning }])
    return new Map(answer?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  /** Any broker can give one; kafkajs' own producer asks the controller. */
  async newProducerId(leader: string): Promise<{ readonly producerId: number; readonly epoch: number }> {
    const broker = (await this.broker(leader)) as Broker & ProducerIds
    const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout: 30_000 })
    return { producerId: Number(producerId), epoch: producerEpoch }
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect()
  }

  #leaderOf({ topic, partition }: PartitionOf): string {
    return Object.keys(this.#cluster.findLeaderForPartitions(topic, [partition]))[0] ?? NO_LEADER
  }
}

/** What kafkajs' types leave out of its brokers. */
interface ProducerIds {
  initProducerId(request: { readonly transactionTimeout: number }): Promise<{
    readonly producerId: string | number
    readonly producerEpoch: number
  }>
}
