import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { calmKafkajs } from '../../src/adapters/kafka/calm-kafkajs.ts'

interface Connection {
  connect(): Promise<unknown>
  send(asked: { request: unknown; response: unknown }): Promise<{ apiVersions: unknown[] }>
  disconnect(): Promise<unknown>
}

const require = createRequire(import.meta.url)
const KafkajsConnection = require('kafkajs/src/network/connection') as new (options: object) => Connection
const createSocketFactory = require('kafkajs/src/network/socketFactory') as () => unknown
const newRequest = require('kafkajs/src/protocol/requests/apiVersions/v0/request') as () => unknown
const response = require('kafkajs/src/protocol/requests/apiVersions/v0/response') as unknown

const silent = () => undefined
const logger = { namespace: () => ({ debug: silent, info: silent, warn: silent, error: silent }) }

/** An answer that names no API. Its request begins with length, API and version; then comes the number that tells it apart. */
const answerTo = (request: Buffer): Buffer => {
  const answer = Buffer.alloc(14)
  answer.writeInt32BE(10, 0)
  request.copy(answer, 4, 8, 12)
  return answer
}

/** The double of a broker that breaks off in the middle of its first answer, and answers in full on the next connection. */
const brokenBroker = async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const first = sockets.size === 0
    sockets.add(socket)
    socket.on('data', (request) => {
      if (first) socket.end(answerTo(request).subarray(0, 9))
      else socket.write(answerTo(request))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close }
}

describe('a connection to a broker', () => {
  const closing: (() => unknown)[] = []
  afterEach(() => closing.splice(0).forEach((close) => close()))

  it('that broke in the middle of an answer reads the answers of the next one from their beginning', async () => {
    calmKafkajs()
    const broker = await brokenBroker()
    closing.push(broker.close)
    const connection = new KafkajsConnection({
      host: '127.0.0.1',
      port: broker.port,
      logger,
      socketFactory: createSocketFactory(),
      requestTimeout: 5_000,
      connectionTimeout: 5_000,
    })
    closing.push(() => connection.disconnect())
    const ask = () => connection.send({ request: newRequest(), response })
    await connection.connect()
    await expect(ask()).rejects.toThrow('Closed connection')
    await connection.connect()
    expect((await ask()).apiVersions).toEqual([])
  })
})
