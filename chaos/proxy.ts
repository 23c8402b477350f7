import { connect, createServer, type Socket } from 'node:net'

/** Stands between one process and a server, and can take the network away between them. */
export interface Proxy {
  readonly port: number
  /** Resets every connection; answers how many. New ones are let through. */
  cut(): number
  /** From now on nothing comes through these connections and nobody is told: neither end gets a FIN. New ones are let through. */
  hold(): number
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  held: boolean
}

/** @param target the server's port, asked at each connection. */
export const openProxy = async (target: () => number): Promise<Proxy> => {
  const pairs = new Set<Pair>()
  const listener = createServer((client) => {
    const pair: Pair = { client, server: connect(target(), '127.0.0.1'), held: false }
    pairs.add(pair)
    join(pair, () => pairs.delete(pair))
  })
  const port = await new Promise<number>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  const each = (act: (pair: Pair) => void): number => {
    const open = [...pairs].filter(({ held }) => !held)
    for (const pair of open) act(pair)
    return open.length
  }
  return {
    port,
    cut: () => each(reset),
    hold: () => each(swallow),
    close: async () => {
      for (const pair of pairs) reset(pair)
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

const join = (pair: Pair, onEnd: () => void): void => {
  const { client, server } = pair
  client.setNoDelay(true)
  server.setNoDelay(true)
  client.pipe(server)
  server.pipe(client)
  // What a reset ends is told by 'close'.
  for (const socket of [client, server]) socket.on('error', () => undefined)
  client.on('close', () => {
    server.destroy()
    onEnd()
  })
  server.on('close', () => {
    if (!pair.held) client.destroy()
  })
}

const reset = ({ client, server }: Pair): void => {
  client.resetAndDestroy()
  server.resetAndDestroy()
}

const swallow = (pair: Pair): void => {
  pair.held = true
  const { client, server } = pair
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.unpipe(to)
    // An end that closes gets its answer from the kernel; the other end hears nothing of it.
    from.resume()
  }
}
