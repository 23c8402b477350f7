import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Http } from './app.ts'

/** Clients that send slowly, or not at all, hold a connection no longer than this. Ms. */
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
/** Longer than the idle time of common load balancers (60 s), so that they close first and never race us. */
const KEEP_ALIVE_MS = 65_000
const CONNECTIONS_MAX = 5_000
/** How often a closing server drops connections that have become idle. */
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
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      if (closing) response.setHeader('Connection', 'close')
      http.handler(request, response)
    },
  )
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${reachable(address)}:${address.port}`,
    port: address.port,
    close: (graceMs) => {
      closing = true
      return shutDown(server, http, graceMs)
    },
  }
}

const shutDown = async (server: Server, http: Http, graceMs: number): Promise<void> => {
  const ended = new Promise<true>((resolve) => {
    server.close(() => resolve(true))
  })
  http.endStreams()
  const until = performance.now() + graceMs
  while (performance.now() < until) {
    server.closeIdleConnections()
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
