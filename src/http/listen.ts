import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Http } from './app.ts'
import { Turns } from './turns.ts'

/** Clients that send slowly, or not at all, hold a connection no longer than this. Ms. */
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
/** Longer than the idle time of common load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 65_000
const CONNECTIONS_MAX = 5_000
/** All of them may come at once. Whoever finds the kernel's queue full (511 by default) hears nothing, and tries again after 1, 3, 7 s. */
const UNACCEPTED_MAX = CONNECTIONS_MAX
/** How often a closing server drops connections on which nothing is asked any more. */
const IDLE_SWEEP_MS = 50

export interface Listening {
  /** Where this machine reaches the server: `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
  /** Takes no more requests, ends event streams, lets running requests end, and drops what is left after the grace. */
  close(graceMs: number): Promise<void>
}

/** Serves until closed. @param port 0 for any free one. Rejects when the address is taken or not ours. */
export const listen = async (http: Http, { host, port }: { host: string; port: number }): Promise<Listening> => {
  let closing = false
  const connections = new Connections()
  const turns = new Turns()
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      if (closing) response.setHeader('Connection', 'close')
      connections.asks(request.socket, response)
      turns.begin(() => {
        // Whoever has left meanwhile is owed nothing.
        if (!request.socket.destroyed) http.handler(request, response)
      })
    },
  )
  server.maxConnections = CONNECTIONS_MAX
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    turns.connected()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: UNACCEPTED_MAX }, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${reachable(address)}:${address.port}`,
    port: address.port,
    close: (graceMs) => {
      closing = true
      return shutDown(server, connections, http, graceMs)
    },
  }
}

/** Which connections have a request running. Node's own list takes one that never asked anything for a busy one. */
class Connections {
  /** How many requests run on each. */
  readonly #open = new Map<Socket, number>()

  add(socket: Socket): void {
    this.#open.set(socket, 0)
    socket.once('close', () => this.#open.delete(socket))
  }

  asks(socket: Socket, response: ServerResponse): void {
    this.#count(socket, 1)
    response.once('close', () => this.#count(socket, -1))
  }

  dropIdle(): void {
    for (const [socket, running] of this.#open) if (running === 0) socket.destroy()
  }

  #count(socket: Socket, by: number): void {
    const running = this.#open.get(socket)
    if (running !== undefined) this.#open.set(socket, running + by)
  }
}

const shutDown = async (server: Server, connections: Connections, http: Http, graceMs: number): Promise<void> => {
  const ended = new Promise<true>((resolve) => {
    server.close(() => resolve(true))
  })
  http.endStreams()
  const until = performance.now() + graceMs
  while (performance.now() < until) {
    connections.dropIdle()
    if (await Promise.race([ended, sleep(IDLE_SWEEP_MS, false)])) return
  }
  server.closeAllConnections()
  await ended
}

/** An address that listens everywhere is reached as this machine. */
const reachable = ({ address, family }: AddressInfo): string => {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1'
  return family === 'IPv6' ? `[${address}]` : address
}
