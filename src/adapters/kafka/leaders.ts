import type { Socket } from 'node:net'
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
  readonly #sockets = new Set<Socket>()
  /** The leader of each partition, by `topic/partition`, when it was last looked up. */
  #led: ReadonlyMap<string, string> = new Map()
  #connected: Promise<void> | null = null

  constructor(config: KafkaConfig, topics: readonly string[]) {
    this.#cluster = clusterOf(new Kafka(this.#watched(config)))
    this.#topics = [...topics]
  }

  /** Looks the leaders up, unless they are known. */
  async connect(): Promise<void> {
    this.#connected ??= (async () => {
      await this.#cluster.connect()
      await this.#cluster.addMultipleTargetTopics(this.#topics)
      await this.#cluster.refreshMetadata()
      this.#led = this.#lookUp()
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

  /** Ends what is asked right now: brokers hold questions for as long as they were told to. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('nobody waits for an answer any more'))
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect()
  }

  #watched(config: KafkaConfig): KafkaConfig {
    const { socketFactory } = config
    if (socketFactory === undefined) return config
    return {
      ...config,
      socketFactory: (options) => {
        const socket = socketFactory(options)
        this.#sockets.add(socket)
        return socket.once('close', () => this.#sockets.delete(socket))
      },
    }
  }

  #leaderOf({ topic, partition }: PartitionOf): string {
    return this.#led.get(`${topic}/${partition}`) ?? NO_LEADER
  }

  /** kafkajs looks through all partitions of a topic for one of them, and this is asked for every record. */
  #lookUp(): Map<string, string> {
    const all = this.#topics.flatMap((topic) =>
      this.#cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId, leader }) => [`${topic}/${partitionId}`, `${leader}`] as const),
    )
    return new Map(all)
  }
}

/** What kafkajs' types leave out of its brokers. */
interface ProducerIds {
  initProducerId(request: { readonly transactionTimeout: number }): Promise<{
    readonly producerId: string | number
    readonly producerEpoch: number
  }>
}
