import { z } from 'zod'
import { isoTime } from '../events/text.ts'
import { SCOPES } from '../projections/api-keys.ts'
import { ofKnown } from './access.ts'
import type { BrowserSessions } from './browser-session.ts'
import type { Caller } from './caller.ts'
import type { HttpParts } from './parts.ts'
import { Problem } from './problem.ts'
import { type Route, route } from './route.ts'

const PATH = '/v1/console/session'

const MeAnswer = z.strictObject({
  name: z.string(),
  key_id: z.string().nullable(),
  scopes: z.array(z.enum(SCOPES)).nullable(),
  tenant: z.string().nullable(),
  expires_at: z.string().nullable(),
})

/** How a browser gets in: a key is shown once, and from then on a cookie that no page can read stands for it. */
export const consoleSessionRoutes = (parts: HttpParts, sessions: BrowserSessions): Route[] => {
  const isSecure = () => parts.publicUrl().startsWith('https:')
  return [
    route({
      method: 'get',
      path: PATH,
      title: 'Who is signed in',
      access: ofKnown,
      answer: MeAnswer,
      handle: ({ caller, headers }) => ({
        status: 200,
        body: meOf(caller, sessions.read(headers)?.expiresMs ?? null),
      }),
    }),
    route({
      method: 'post',
      path: PATH,
      title: 'Sign in: exchange the key of the Authorization header for a cookie of eight hours',
      access: ofKnown,
      action: 'console.sign_in',
      answer: MeAnswer,
      json: z.strictObject({}),
      handle: ({ caller, headers }) => {
        // A cookie alone begins no other: no session outlives its hours.
        if (caller.keyId === null || headers.authorization === undefined) throw new Problem('key_missing')
        const { session, cookie } = sessions.begin(caller.keyId, isSecure())
        return { status: 200, headers: { 'Set-Cookie': cookie }, body: meOf(caller, session.expiresMs) }
      },
    }),
    route({
      method: 'delete',
      path: PATH,
      title: 'Sign out: end the session of this browser',
      access: ofKnown,
      action: 'console.sign_out',
      handle: ({ headers }) => ({ status: 204, headers: { 'Set-Cookie': sessions.end(headers, isSecure()) } }),
    }),
  ]
}

const meOf = ({ name, keyId, scopes, tenant }: Caller, expiresMs: number | null): z.infer<typeof MeAnswer> => ({
  name,
  key_id: keyId,
  scopes: scopes === null ? null : [...scopes],
  tenant,
  expires_at: expiresMs === null ? null : isoTime(expiresMs),
})
