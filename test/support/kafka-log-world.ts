import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { ISocketFactory } from 'kafkajs'
import { openKafkaLog } from '../../src/adapters/kafka/event-log.ts'
import type { SHAPE } from '../contracts/event-log.ts'
import type { ReadersWorld } from '../contracts/journal-readers.ts'
import { freezable, realClock } from './clock.ts'
import { eventually } from './eventually.ts'
import { outsideReader } from './kafka-outside-reader.ts'

/** Short, so that a take-over does not keep a test waiting, and long enough for a machine that is busy. */
const LEASE_TTL_MS = 1_500

/** A log in topics of its own, opened by as many "processes" as a test wants, each with connections of its own. */
export const kafkaLogWorld = (shape: typeof SHAPE, broker: string): ReadersWorld => {
  const prefix = `test-${randomUUID()}`
  const opened: { close(): Promise<void> }[] = []
  return {
    open: async (partitions = shape.partitions) => {
      const clock = freezable(realClock)
      const membership = new Freezer()
      let answersToLose = 0
      const log = await openKafkaLog({
        ...shape,
        kafka: { brokers: [broker] },
        memberKafka: { brokers: [broker], socketFactory: membership.socketFactory },
        prefix,
        partitions,
        clock,
        newId: randomUUID,
        leaseTtlMs: LEASE_TTL_MS,
        drainMs: 5_000,
        decorate: (send) => async (parcels) => {
          const answer = await send(parcels)
          const commits = parcels.some(({ topic }) => topic.endsWith('.journal'))
          if (!commits || answersToLose === 0) return answer
          answersToLose--
          throw new Error('the answer was lost')
        },
      })
      opened.push(log)
      return {
        log,
        freeze: () => {
          clock.freeze()
          membership.freeze()
        },
        loseAnswerOfCommit: () => {
          answersToLose++
        },
      }
    },
    reader: (name) => {
      const reader = outsideReader(broker, prefix, name)
      opened.push(reader)
      return reader
    },
    eventually,
    close: async () => {
      await Promise.all(opened.map((one) => one.close()))
    },
  }
}

/** Cuts off the heartbeats as SIGSTOP does: the connections stay open and nothing comes through. */
export class Freezer {
  readonly #sockets = new Set<Socket>()
  #frozen = false

  readonly socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect)
    this.#sockets.add(socket)
    if (this.#frozen) silence(socket)
    return socket
  }

  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) silence(socket)
  }
}

const silence = (socket: Socket): void => {
  socket.pause()
  socket.write = () => true
}
