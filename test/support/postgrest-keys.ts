import { createHmac, timingSafeEqual } from 'node:crypto'

/** What tests sign with; docker-compose.yml has the same. */
export const TEST_SECRET = 'a-secret-for-tests-alone-with-more-than-32-characters'

/** A role's key in the legacy format: a JWT signed with the project's secret (HS256), valid for `validS` seconds. */
export const legacyKey = (role: string, secret: string, validS = 3_600): string => {
  const now = Math.floor(Date.now() / 1_000)
  return signedToken({ role, iss: 'test', iat: now, exp: now + validS }, secret)
}

/** A JWT (HS256) that says this. */
export const signedToken = (claims: object, secret: string): string => {
  const content = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${content}.${signature(content, secret)}`
}

/** A project's keys. */
export interface ProjectKeys {
  /** Both formats of the service role's key, and of the one that browsers have. */
  readonly secret: string
  readonly service: string
  readonly anon: string
  readonly publishable: string
  readonly authenticated: string
  readonly expired: string
}

export const projectKeys = (): ProjectKeys => ({
  secret: 'sb_secret_of_the_double',
  publishable: 'sb_publishable_of_the_double',
  service: legacyKey('service_role', TEST_SECRET),
  anon: legacyKey('anon', TEST_SECRET),
  authenticated: legacyKey('authenticated', TEST_SECRET),
  expired: legacyKey('service_role', TEST_SECRET, -60),
})

/** The gateway puts a JWT in the place of a new key, but leaves an Authorization alone that is there. */
export const tokenOf = (keys: ProjectKeys, apikey: string, authorization: string | undefined): string | null => {
  if (authorization !== undefined) return authorization.replace(/^Bearer /, '')
  if (apikey === keys.secret) return keys.service
  return apikey === keys.publishable ? keys.anon : null
}

/** What a token says, or PostgREST's code and words for why it is not believed. */
export const readToken = (
  token: string,
  secret: string,
  nowMs = Date.now(),
): { role: string; url?: string | undefined } | { code: string; message: string } => {
  const parts = token.split('.')
  const [header, claims, signed = ''] = parts
  if (parts.length !== 3) return { code: 'PGRST301', message: `Expected 3 parts in JWT; got ${parts.length}` }
  const expected = Buffer.from(signature(`${header}.${claims}`, secret))
  const given = Buffer.from(signed)
  if (expected.length !== given.length || !timingSafeEqual(expected, given))
    return { code: 'PGRST301', message: 'No suitable key was found to decode the JWT' }
  const {
    role = 'anon',
    exp,
    url,
  } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()) as {
    role?: string
    exp?: number
    url?: string
  }
  if (exp !== undefined && exp <= nowMs / 1_000) return { code: 'PGRST303', message: 'JWT expired' }
  return { role, url }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const signature = (content: string, secret: string): string =>
  createHmac('sha256', secret).update(content).digest('base64url')
