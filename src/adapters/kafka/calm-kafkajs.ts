import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { calmMetadata } from './calm-metadata.ts'

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}

interface Connection {
  socket?: Socket | undefined
  /** ms. */
  readonly requestTimeout: number
  /** What came of the next answer, its length in bytes, and how many bytes there must be before it is looked at. */
  chunks: readonly Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  isConnected: (this: Connection) => boolean
  connect: (this: Connection) => Promise<unknown>
  send: (this: Connection, request: Request) => Promise<unknown>
  disconnect: (this: Connection) => Promise<boolean>
}

interface Request {
  /** ms, of those that brokers hold back. */
  readonly requestTimeout?: number | null
}

const partOfKafkajs = <Part>(path: string): Part => {
  const { prototype } = createRequire(import.meta.url)(`kafkajs/src/network/${path}`) as { readonly prototype: Part }
  return prototype
}

/** Puts right, once for all of the process, what kafkajs 2.2.4 does to its connections, and to what it is told of a cluster. */
export const calmKafkajs = (): void => {
  lookForPendingOnlyWhereSomeAre(partOfKafkajs<RequestQueue>('requestQueue'))
  const connection = partOfKafkajs<Connection>('connection')
  connectOnce(connection)
  endWhatDoesNotAnswer(connection)
  letTheDeadRest(connection)
  calmMetadata()
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
    if (!this.isConnected()) forgetHalfAnAnswer(this)
    const made = original.call(this).finally(() => connecting.delete(this))
    connecting.set(this, made)
    return made
  }
  connection.connect = once
}

/**
 * It takes what came of an answer before a connection broke for the beginning of the first answer on the next one: nothing after
 * it can be read, and the process ends.
 */
const forgetHalfAnAnswer = (connection: Connection): void => {
  // What it has still to say would be heard there too.
  connection.socket?.destroy()
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = LENGTH_BYTES
}

/**
 * It goes on asking on a connection that left a request unanswered: on a half-open one nobody ever answers. And it forgets what
 * was asked on a connection while that was coming to its end, and logins: nobody would ever hear of these.
 */
const endWhatDoesNotAnswer = (connection: Connection): void => {
  const original: (this: Connection, request: Request) => Promise<unknown> = connection.send
  if (original.name === endingIt.name) return
  async function endingIt(this: Connection, request: Request): Promise<unknown> {
    const { socket } = this
    const forgotten = Promise.withResolvers<never>()
    const waitMs = Math.max(this.requestTimeout, request.requestTimeout ?? 0) + FORGOTTEN_MS
    const timer = setTimeout(() => forgotten.reject(new UnansweredRequest(waitMs)), waitMs)
    try {
      return await Promise.race([original.call(this, request), forgotten.promise])
    } catch (error) {
      if (error instanceof Error && error.name === UNANSWERED) socket?.destroy(error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
  connection.send = endingIt
}

/** It ends a connection again each time that somebody finds it closed, and each time leaves a listener on the dead socket. */
const letTheDeadRest = (connection: Connection): void => {
  const original: (this: Connection) => Promise<boolean> = connection.disconnect
  if (original.name === leaving.name) return
  function leaving(this: Connection): Promise<boolean> {
    if (this.socket?.destroyed) this.socket = undefined
    return original.call(this)
  }
  connection.disconnect = leaving
}

/** Of the length that each answer begins with. */
const LENGTH_BYTES = 4
/** Later than kafkajs looks itself. */
const FORGOTTEN_MS = 500
/** As kafkajs names it. */
const UNANSWERED = 'KafkaJSRequestTimeoutError'

class UnansweredRequest extends Error {
  override readonly name = UNANSWERED

  constructor(ms: number) {
    super(`a request was not answered within ${ms} ms`)
  }
}
