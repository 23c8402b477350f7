import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}

interface Connection {
  readonly socket?: Socket
  connect: (this: Connection) => Promise<unknown>
  send: (this: Connection, request: unknown) => Promise<unknown>
}

const partOfKafkajs = <Part>(path: string): Part => {
  const { prototype } = createRequire(import.meta.url)(`kafkajs/src/network/${path}`) as { readonly prototype: Part }
  return prototype
}

/** Puts right, once for all of the process, what kafkajs 2.2.4 does to its connections. */
export const calmKafkajs = (): void => {
  lookForPendingOnlyWhereSomeAre(partOfKafkajs<RequestQueue>('requestQueue'))
  const connection = partOfKafkajs<Connection>('connection')
  connectOnce(connection)
  endWhatDoesNotAnswer(connection)
}

/**
 * It looks every millisecond, on every connection, for requests that were held back, also when there are none: some percent of
 * a core for doing nothing, and a TimeoutNegativeWarning. What is held back is looked at when it is handed in.
 */
const lookForPendingOnlyWhereSomeAre = (queue: RequestQueue): void => {
  const original: (this: RequestQueue) => void = queue.scheduleCheckPendingRequests
  if (original.name === calmly.name) return
  function calmly(this: RequestQueue): void {
    if (this.pending.length > 0) original.call(this)
  }
  queue.scheduleCheckPendingRequests = calmly
}

/** Of several callers that find no connection each opens a socket, and what is written goes to one that is not open yet. */
const connectOnce = (connection: Connection): void => {
  const original: (this: Connection) => Promise<unknown> = connection.connect
  if (original.name === once.name) return
  const connecting = new WeakMap<Connection, Promise<unknown>>()
  function once(this: Connection): Promise<unknown> {
    const known = connecting.get(this)
    if (known !== undefined) return known
    const made = original.call(this).finally(() => connecting.delete(this))
    connecting.set(this, made)
    return made
  }
  connection.connect = once
}

/** It goes on asking on a connection that left a request unanswered: on a half-open one nobody ever answers. */
const endWhatDoesNotAnswer = (connection: Connection): void => {
  const original: (this: Connection, request: unknown) => Promise<unknown> = connection.send
  if (original.name === endingIt.name) return
  async function endingIt(this: Connection, request: unknown): Promise<unknown> {
    const { socket } = this
    try {
      return await original.call(this, request)
    } catch (error) {
      if (error instanceof Error && error.name === 'KafkaJSRequestTimeoutError') socket?.destroy(error)
      throw error
    }
  }
  connection.send = endingIt
}
