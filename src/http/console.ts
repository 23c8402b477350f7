import { z } from 'zod'
import { ofConsole } from './access.ts'
import { type ConsoleFile, readConsoleFiles } from './console-files.ts'
import { Problem } from './problem.ts'
import { type Answer, type Call, type Route, route } from './route.ts'

/** Scripts, styles and answers come from here and from nowhere else, nothing stands in a page itself, and text never becomes markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // A photo that the page itself was handed.
  "img-src 'self' blob:",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const rest = z.strictObject({ path: z.array(z.string()).transform((segments) => segments.join('/')) })
/** Pages read what stands behind their address by themselves. */
const anything = z.unknown()

/** The console: files that a browser runs. Whatever they show comes from the routes below /v1, as for every other client. */
export const consoleRoutes = (): Route[] => {
  let read: ReadonlyMap<string, ConsoleFile> | null = null
  // When the console is first opened: most processes never show it.
  const file = (name: string) => (read ??= readConsoleFiles()).get(name)
  const page = (path: string, title: string, params: z.ZodType) =>
    route({
      method: 'get',
      path,
      title,
      access: ofConsole,
      params,
      query: anything,
      handle: (call) => send(file('index.html'), call),
    })
  return [
    page('/console', 'The console, for people with a browser', z.strictObject({})),
    route({
      method: 'get',
      path: '/console/files/*path',
      title: 'What the console is made of',
      access: ofConsole,
      params: rest,
      handle: (call) => send(file(call.params.path), call),
    }),
    page('/console/*path', 'One page of the console', rest),
  ]
}

const send = (file: ConsoleFile | undefined, { headers }: Call<unknown, unknown>): Answer => {
  if (file === undefined) throw new Problem('route_unknown')
  const { type, bytes, etag } = file
  // `no-cache`: kept, and asked about each time, so that a new version is seen at once.
  const about = { ETag: etag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': POLICY }
  if (headers['if-none-match'] === etag) return { status: 304, headers: about }
  return { status: 200, headers: { ...about, 'Content-Type': type }, body: bytes }
}
