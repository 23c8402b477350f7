import { createHmac, timingSafeEqual } from 'node:crypto'

/** What tests sign with; docker-compose.yml has the same. */
export const TEST_SECRET = 'a-secret-for-tests-alone-with-more-than-32-characters'

/** A role's key in the legacy format: a JWT signed with the project's secret (HS256), valid for `validS` seconds. */
export const legacyKey = (role: string, secret: string, validS = 3_600): string => {
  const now = Math.floor(Date.now() / 1_000)
  const content = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ role, iss: 'test', iat: now, exp: now + validS })}`
  return `${content}.${signature(content, secret)}`
}

/** What a token says, or PostgREST's code and words for why it is not believed. */
export const readToken = (token: string, secret: string): { role: string } | { code: string; message: string } => {
  const parts = token.split('.')
  const [header, claims, signed = ''] = parts
  if (parts.length !== 3) return { code: 'PGRST301', message: `Expected 3 parts in JWT; got ${parts.length}` }
  const expected = Buffer.from(signature(`${header}.${claims}`, secret))
  const given = Buffer.from(signed)
  if (expected.length !== given.length || !timingSafeEqual(expected, given))
    return { code: 'PGRST301', message: 'No suitable key was found to decode the JWT' }
  const { role = 'anon', exp } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()) as {
    role?: string
    exp?: number
  }
  if (exp !== undefined && exp < Date.now() / 1_000) return { code: 'PGRST303', message: 'JWT expired' }
  return { role }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const signature = (content: string, secret: string): string =>
  createHmac('sha256', secret).update(content).digest('base64url')
