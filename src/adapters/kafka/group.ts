import { type Admin, AssignerProtocol, type Consumer, Kafka, type KafkaConfig, type PartitionAssigner } from 'kafkajs'
import type { Clock } from '../../machines/ports/environment.ts'
import { inTime } from '../../machines/runtime/in-time.ts'

/** The processes that take part in a log, as the broker's group coordinator sees them. */
export interface Group {
  /** The owners' ids, in an order that all see alike. @throws when this process has been outside for long. */
  members(): Promise<string[]>
  /** Whether this process has to join anew. A broker that is away ends nothing: the member is the same when it is back. */
  hasEnded(): boolean
  /** Calls back when somebody joined or left. */
  onChange(listener: () => void): () => void
  leave(): Promise<void>
}

export interface GroupOptions {
  /** For asking about the group. */
  readonly config: KafkaConfig
  /** For being in it: connections of their own, so that no long request delays a heartbeat. */
  readonly memberConfig: KafkaConfig
  readonly groupId: string
  readonly topic: string
  readonly member: string
  /** A silent process is out after this time; brokers take 6 s at least unless told otherwise. */
  readonly sessionMs: number
  readonly clock: Clock
  /** Hears of what is tried again. */
  readonly onError: (error: unknown) => void
  readonly signal: AbortSignal
}

/** A consumer that is not in the group after this many sessions' time is dead, also where it says nothing (kafkajs #1719). */
const SESSIONS_OUTSIDE_MAX = 5

const CLIENT = 'wearon-owner/'

/** A broker that is away is asked again, so that the process is back as soon as it is. */
const JOINS_MAX = 60
const JOIN_AGAIN_MS = 500

/**
 * Joins the group as a member that consumes nothing: who is in it says who lives, and the claims in the journals say who owns
 * what. So a rebalance stops nobody's work, and partitions can be drained one by one.
 */
export const joinGroup = async (options: GroupOptions): Promise<Group> => {
  const { clock, onError, signal } = options
  for (let tries = 1; ; tries++) {
    try {
      return await tryToJoin(options)
    } catch (error) {
      if (tries === JOINS_MAX || signal.aborted) throw error
      onError(error)
      await clock.sleep(JOIN_AGAIN_MS, signal)
    }
  }
}

const tryToJoin = async (options: GroupOptions): Promise<Group> => {
  const membership = new Membership(options)
  try {
    await membership.join()
  } catch (error) {
    await membership.leave()
    throw error
  }
  return membership
}

class Membership implements Group {
  readonly #options: GroupOptions
  readonly #admin: Admin
  readonly #consumer: Consumer
  readonly #listeners = new Set<() => void>()
  readonly #left = new AbortController()
  #outsideSince: number | null = null

  constructor(options: GroupOptions) {
    const { config, memberConfig, groupId, member, sessionMs } = options
    this.#options = options
    this.#admin = new Kafka(config).admin()
    this.#consumer = new Kafka({ ...memberConfig, clientId: `${CLIENT}${member}` }).consumer({
      groupId,
      allowAutoTopicCreation: false,
      partitionAssigners: [nobody],
      sessionTimeout: sessionMs,
      // The broker keeps a member that died while the others join until all have, and only then begins its session.
      rebalanceTimeout: sessionMs / 2,
      heartbeatInterval: sessionMs / 6,
      maxWaitTimeInMs: sessionMs / 6,
    })
  }

  /** Rejects when the brokers do not let it in now. */
  async join(): Promise<void> {
    const consumer = this.#consumer
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) void this.#runAgain(payload.error)
    })
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const listener of this.#listeners) listener()
    })
    await this.#admin.connect()
    await consumer.connect()
    await consumer.subscribe({ topic: this.#options.topic })
    await this.#run()
  }

  async members(): Promise<string[]> {
    const { groupId, member, clock } = this.#options
    const members = await membersOf(this.#admin, groupId)
    this.#outsideSince = members.includes(member) ? null : (this.#outsideSince ?? clock.now())
    if (this.hasEnded()) throw new Error('this process does not come back into the consumer group')
    return members
  }

  hasEnded(): boolean {
    const { clock, sessionMs } = this.#options
    return this.#outsideSince !== null && clock.now() - this.#outsideSince > sessionMs * SESSIONS_OUTSIDE_MAX
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async leave(): Promise<void> {
    const { clock, sessionMs } = this.#options
    this.#left.abort()
    const leaving = Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()])
    // A consumer that is trying to join ends only when it has; the broker forgets it after its session in any case.
    await inTime(leaving, sessionMs, clock).catch(() => undefined)
  }

  #run(): Promise<void> {
    return this.#consumer.run({ autoCommit: false, eachBatch: async () => undefined })
  }

  /** kafkajs gives up for good where a coordinator is not there yet, as after a broker's restart. */
  async #runAgain(reason: unknown): Promise<void> {
    const { clock, onError } = this.#options
    for (let error = reason; !this.#left.signal.aborted; ) {
      onError(error)
      await clock.sleep(JOIN_AGAIN_MS, this.#left.signal)
      if (this.#left.signal.aborted) return
      try {
        return await this.#run()
      } catch (another) {
        error = another
      }
    }
  }
}

/** By their client ids: unlike all else, these are told also while the group is being rebalanced. */
const membersOf = async (admin: Admin, groupId: string): Promise<string[]> => {
  const { groups } = await admin.describeGroups([groupId])
  const clients = groups.flatMap(({ members }) => members.map(({ clientId }) => clientId))
  return [...new Set(clients.filter((id) => id.startsWith(CLIENT)).map((id) => id.slice(CLIENT.length)))].toSorted()
}

const VERSION = 1
const NOTHING = Buffer.alloc(0)
const { MemberAssignment, MemberMetadata } = AssignerProtocol
const nobody: PartitionAssigner = () => ({
  name: 'wearon-claims',
  version: VERSION,
  protocol: ({ topics }) => ({
    name: 'wearon-claims',
    metadata: MemberMetadata.encode({ version: VERSION, topics, userData: NOTHING }),
  }),
  assign: async ({ members }) =>
    members.map(({ memberId }) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: VERSION, assignment: {}, userData: NOTHING }),
    })),
})
