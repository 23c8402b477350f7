import { createServer } from 'node:net'

/**
 * Below the range of outgoing connections: one of them could have the port by the time that a server which was killed starts on
 * it again. A node of a Redis cluster also listens 10,000 above it, which is below that range too.
 */
const PORT_MIN = 10_000
const PORTS = 1_250
/** Each of vitest's workers takes from ports of its own: no other can take one between the look and its server's start. */
const WORKER = Number(process.env['VITEST_POOL_ID'] ?? 0) % 8

const given = new Set<number>()

/** A port of this machine that nobody listens on at the moment, another one at each call. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = PORT_MIN + WORKER * PORTS + Math.floor(Math.random() * PORTS)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
