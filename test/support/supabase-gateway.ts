import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The gateway of a double of a whole project: one address, behind which each service answers under its path. */
export const startGateway = async (
  services: Readonly<Record<'/rest/' | '/storage/', string>>,
): Promise<{ readonly url: string; close(): Promise<void> }> => {
  const server = createServer((incoming, answer) => {
    const [, target] = Object.entries(services).find(([path]) => incoming.url?.startsWith(path)) ?? []
    if (target === undefined) {
      answer.writeHead(404).end('{"message":"no Route matched with those values"}')
      return
    }
    const { method, headers } = incoming
    const outgoing = request(`${target}${incoming.url}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer).on('error', () => response.destroy())
    })
    outgoing.on('error', () => answer.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
