import { type HttpParts } from '../../src/http/parts.ts'
import type { PoseEngine } from '../../src/machines/ports/pose.ts'
import { pictureFetcher } from '../../src/pictures/fetch.ts'
import { openPhoto } from '../../src/pictures/photo.ts'
import { Turnstile } from '../../src/pictures/turnstile.ts'
import { openWorld } from '../integration/http-world.ts'
import { serveRows } from './attacks/attacked.ts'
import { head, type Serve, says } from './attacks/wire.ts'

type Bodies = NonNullable<HttpParts['bodies']>
type Options = Partial<Omit<Bodies, 'engine' | 'photos'>> & {
  readonly engine: PoseEngine
  /** What lies at which path: bytes of a picture, or what the server does instead. */
  readonly files: Readonly<Record<string, Uint8Array | Serve>>
  readonly fetchMs?: number
  /** The entries of IMAGE_HOSTS; the server beside it unless told. */
  readonly hosts?: readonly string[]
}

/** The HTTP side over an engine, and a server of photos beside it, on real sockets. */
export const openBodyWorld = async ({ engine, files, fetchMs = 3_000, hosts, ...bodies }: Options) => {
  let fetched = 0
  const counted =
    (serve: Serve): Serve =>
    (socket) => {
      fetched++
      serve(socket)
    }
  const rows = Object.entries(files).map(
    ([path, file]) => [`/${path}`, counted(file instanceof Uint8Array ? says(head(), file) : file)] as const,
  )
  const { server, port } = await serveRows(new Map(rows))
  const host = `127.0.0.1:${port}`
  const photos = pictureFetcher({
    hosts: hosts ?? [host],
    use: openPhoto,
    places: new Turnstile(10),
    timeoutMs: fetchMs,
  })
  const limits = { overlay: false, deadlineMs: 4_500, estimatesMax: 24, waitingMax: 8, ...bodies }
  const world = await openWorld({ bodies: { engine, photos, ...limits } })
  return {
    ...world,
    /** Pictures that were asked for. */
    fetched: () => fetched,
    urlOf: (path: string) => `http://${host}/${path}`,
    /** Sends a body; the photo at `person.jpg` of somebody of 178 cm where it does not say otherwise. */
    estimate: (changes: object | string = {}, query = '', headers: Record<string, string> = {}) =>
      fetch(`${world.url}/estimate-body${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body:
          typeof changes === 'string'
            ? changes
            : JSON.stringify({ image_url: `http://${host}/person.jpg`, height_cm: 178, ...changes }),
      }),
    close: async () => {
      await world.close(0)
      await photos.close()
      server.close()
    },
  }
}

export type BodyWorld = Awaited<ReturnType<typeof openBodyWorld>>
