import { createRequire } from 'node:module'
import type { Broker } from 'kafkajs'
import { ByteReader, ByteWriter } from './bytes.ts'

/** A request in Kafka's protocol, and how its answer is read. */
export interface Question<Answer> {
  readonly apiKey: number
  readonly apiVersion: number
  /** As kafkajs would call it. */
  readonly apiName: string
  /** How long the broker may hold it, ms. */
  readonly waitMs: number
  write(to: ByteWriter): void
  read(from: ByteReader): { readonly answer: Answer; readonly throttleMs: number }
}

/**
 * Asks on kafkajs' connection to a broker, whose own way of writing and reading these requests takes longer than all else that
 * a session costs.
 */
export const ask = async <Answer>(broker: Broker, question: Question<Answer>): Promise<Answer> => {
  const { connectionPool } = broker as Broker & Connected
  const { apiKey, apiVersion, apiName, waitMs } = question
  try {
    return await connectionPool.send({
      request: { apiKey, apiVersion, apiName, encode: async () => encoded(question) },
      response: {
        decode: async (bytes) => {
          const { answer, throttleMs } = question.read(new ByteReader(bytes))
          return { answer, clientSideThrottleTime: throttleMs }
        },
        parse: async ({ answer }) => answer,
      },
      requestTimeout: waitMs,
    })
  } catch (error) {
    // As kafkajs' own requests do, so that the next one connects anew.
    if (error instanceof Error && error.name === 'KafkaJSConnectionClosedError') await broker.disconnect()
    throw error
  }
}

/** What kafkajs' types leave out of its brokers. */
interface Connected {
  readonly connectionPool: { send<Answer>(asked: Asked<Answer>): Promise<Answer> }
}

interface Asked<Answer> {
  readonly request: Pick<Question<Answer>, 'apiKey' | 'apiVersion' | 'apiName'> & { encode(): Promise<Encoded> }
  readonly response: {
    decode(bytes: Buffer): Promise<Decoded<Answer>>
    parse(decoded: Decoded<Answer>): Promise<Answer>
  }
  readonly requestTimeout: number
}

/** As kafkajs takes it into a request. */
interface Encoded {
  readonly buf: Buffer
  readonly buffer: Buffer
}

interface Decoded<Answer> {
  readonly answer: Answer
  /** As kafkajs looks for it. */
  readonly clientSideThrottleTime: number
}

const encoded = (question: Question<unknown>): Encoded => {
  const to = new ByteWriter()
  question.write(to)
  return { buf: to.written, buffer: to.written }
}

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  readonly createErrorFromCode: (code: number) => Error & { readonly retriable: boolean }
}

/** What a broker means by an error's number; null for none. */
export const errorOf = (code: number): (Error & { readonly retriable: boolean }) | null =>
  code === 0 ? null : createErrorFromCode(code)

/** Reads as many as are said to follow. */
export const listOf = <Item>(from: ByteReader, read: () => Item): Item[] => {
  const items: Item[] = []
  for (let count = from.int32(); count > 0; count--) items.push(read())
  return items
}
