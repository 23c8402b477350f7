import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Answered, Asked } from '../../processes/picture-fetcher.ts'
import type { Serve } from './wire.ts'

const FETCHER = join(import.meta.dirname, '../../processes/picture-fetcher.ts')

/** A process that fetches and prepares one picture at a time. */
export const startFetcher = (env: Readonly<Record<string, string>> = {}) => {
  const child = fork(FETCHER, { env: { ...process.env, ...env } })
  return {
    fetch: async (asked: Asked): Promise<Answered> => {
      child.send(asked)
      const died = once(child, 'exit').then(([code, signal]) => {
        throw new Error(`the fetcher died: ${code ?? signal}`)
      })
      const [answered] = (await Promise.race([once(child, 'message'), died])) as [Answered]
      return answered
    },
    stop: () => child.kill('SIGKILL'),
  }
}

/** A server that does what each path's row says. Answers its port. */
export const serveRows = async (rows: ReadonlyMap<string, Serve>): Promise<{ server: Server; port: number }> => {
  const server = createServer((socket) => {
    // Whoever attacks does not care whether it is heard to the end.
    socket.on('error', () => {})
    socket.once('data', (request) => {
      const path = /^GET (?<path>\S+) /.exec(request.toString('latin1'))?.groups?.['path'] ?? ''
      const serve = rows.get(path)
      if (serve === undefined) socket.destroy()
      else serve(socket)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}
