import { type Admin, AssignerProtocol, Kafka, type KafkaConfig, type PartitionAssigner } from 'kafkajs'
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
  const { config, memberConfig, groupId, topic, member, sessionMs, clock, onError } = options
  const admin = new Kafka(config).admin()
  const consumer = new Kafka({ ...memberConfig, clientId: `${CLIENT}${member}` }).consumer({
    groupId,
    allowAutoTopicCreation: false,
    partitionAssigners: [nobody],
    sessionTimeout: sessionMs,
    // The broker keeps a member that died while the others join until all have, and only then begins its session.
    rebalanceTimeout: sessionMs / 2,
    heartbeatInterval: sessionMs / 6,
    maxWaitTimeInMs: sessionMs / 6,
  })
  const left = new AbortController()
  // A consumer that is trying to join ends only when it has; the broker forgets it after its session in any case.
  const leave = async () => {
    left.abort()
    await inTime(Promise.allSettled([consumer.disconnect(), admin.disconnect()]), sessionMs, clock).catch(
      () => undefined,
    )
  }
  const run = () => consumer.run({ autoCommit: false, eachBatch: async () => undefined })
  /** kafkajs gives up for good where a coordinator is not there yet, as after a broker's restart. */
  const runAgain = async (reason: unknown): Promise<void> => {
    onError(reason)
    await clock.sleep(JOIN_AGAIN_MS, left.signal)
    if (!left.signal.aborted) await run().catch(runAgain)
  }
  const listeners = new Set<() => void>()
  let outsideSince: number | null = null
  const isOutside = () => outsideSince !== null && clock.now() - outsideSince > sessionMs * SESSIONS_OUTSIDE_MAX
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) void runAgain(payload.error)
  })
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const listener of listeners) listener()
  })
  try {
    await admin.connect()
    await consumer.connect()
    await consumer.subscribe({ topic })
    await run()
  } catch (error) {
    await leave()
    throw error
  }
  return {
    members: async () => {
      const members = await membersOf(admin, groupId)
      outsideSince = members.includes(member) ? null : (outsideSince ?? clock.now())
      if (isOutside()) throw new Error('this process does not come back into the consumer group')
      return members
    },
    hasEnded: isOutside,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    leave,
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
