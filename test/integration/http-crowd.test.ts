import { readFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type Listening, listen } from '../../src/http/listen.ts'
import { eventually } from '../support/eventually.ts'

const ASK = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

let server: Listening | undefined
const clients: Socket[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await server?.close(1_000)
})

const serve = async (handler: RequestListener): Promise<number> => {
  server = await listen({ handler, endStreams: () => {} }, { host: '127.0.0.1', port: 0 })
  return server.port
}

/** A client that asks as soon as it can, and what to wait for to know that it was answered. */
const client = (port: number): { socket: Socket; answered: Promise<void> } => {
  const socket = connect(port, '127.0.0.1')
  clients.push(socket)
  const answered = new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve()).once('error', reject)
  })
  socket.write(ASK)
  return { socket, answered }
}

const crowdOf = (size: number, port: number) => Array.from({ length: size }, () => client(port))
const answersOf = (crowd: readonly { answered: Promise<void> }[]) => Promise.all(crowd.map(({ answered }) => answered))

/** How many the kernel lets wait for a server at most: less on old kernels and on other systems. */
const kernelTakes = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8').catch(() => 0))

describe('a crowd at the door', () => {
  it('is let in while those inside ask as fast as they are answered', async () => {
    let requests = 0
    const port = await serve((_request, response) => {
      requests += 1
      response.end('here you are')
    })
    const inside = crowdOf(100, port)
    await answersOf(inside)
    for (const { socket } of inside) socket.on('data', () => socket.write(ASK)).write(ASK)
    const before = requests
    await answersOf(crowdOf(200, port))
    // Had each turn of the event loop one of the crowd and all of the others, these would be ten thousand.
    expect(requests - before).toBeLessThan(2_000)
  })

  it.skipIf(kernelTakes < 1_000)(
    'may be a thousand at once: the kernel keeps them all for a server that is busy',
    async () => {
      const port = await serve((_request, response) => void response.end())
      const crowd = crowdOf(1_000, port)
      let connected = 0
      for (const { socket } of crowd) socket.once('connect', () => (connected += 1))
      // Loopback connects at once, or not before the kernel tries again, after a second; the server takes one in each turn.
      for (let turns = 0; turns < 20; turns += 1) await turn()
      expect(connected).toBe(1_000)
      await answersOf(crowd)
    },
  )

  it('leaves no trace of those who left before their turn', async () => {
    let open = 0
    const port = await serve((_request, response) => {
      open += 1
      response.once('close', () => (open -= 1)).end()
    })
    const leaving = crowdOf(300, port)
    for (const { socket, answered } of leaving) {
      answered.catch(() => {})
      socket.once('connect', () => socket.write(ASK, () => socket.resetAndDestroy()))
    }
    await answersOf(crowdOf(1, port))
    await eventually(() => expect(open).toBe(0))
  })
})
