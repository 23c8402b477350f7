import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openServer } from '../../src/adapters/postgres/server.ts'

/** A message of PostgreSQL's protocol, version 3: its type, its length, its content. */
const message = (type: string, content: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length + 4)
  return Buffer.concat([Buffer.from(type), length, content])
}

const WELCOME = message('R', Buffer.alloc(4))
const READY = message('Z', Buffer.from('I'))
const FAREWELL = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'))

let server: Server

beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([WELCOME, READY, FAREWELL])))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.close()
})

it('survives a server that ends in the moment in which it lets a connection in', async () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const sql = openServer({ url: `postgres://postgres@127.0.0.1:${port}/any` })
  await expect(sql.query('select 1')).rejects.toThrow(/terminat|not queryable/i)
  await sql.close()
})
