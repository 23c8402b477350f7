import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isSame } from './api-key.ts'

/** A working day: whoever signed in in the morning is out by the evening. */
const LIFE_MS = 28_800_000
const COOKIE = 'wearon_console'
/** Sessions that are remembered to have been ended before their time; the oldest go first. */
const ENDED_MAX = 10_000
const FORM = /^(?<keyId>[0-9a-f]{16})\.(?<expiresMs>\d{1,15})\.(?<nonce>[\w-]{16,64})\.(?<mac>[\w-]{43})$/

/** Somebody who exchanged a key for a cookie. */
export interface BrowserSession {
  readonly keyId: string
  readonly expiresMs: number
}

/**
 * Sessions of browsers. The cookie says which key was shown and until when it counts, under a MAC (HMAC-SHA256, RFC 2104)
 * of a secret that only servers have: nothing is stored, and a copy of the database lets nobody in. What the key may do
 * is looked up at each request, so a key that is revoked ends its sessions too.
 */
export class BrowserSessions {
  readonly #secret: Buffer
  readonly #now: () => number
  readonly #newNonce: () => string
  readonly #ended = new Set<string>()

  /** `secret`: shared by the processes behind one address; `newNonce`: 16 to 64 characters of base64url. */
  constructor(secret: string, { now, newNonce }: { now: () => number; newNonce: () => string }) {
    this.#secret = createHmac('sha256', secret).update('console session').digest()
    this.#now = now
    this.#newNonce = newNonce
  }

  /** Begins a session: what goes into `Set-Cookie`. `secure`: browsers reach us by https. */
  begin(keyId: string, secure: boolean): { readonly session: BrowserSession; readonly cookie: string } {
    const session = { keyId, expiresMs: Math.floor(this.#now()) + LIFE_MS }
    const said = `${keyId}.${session.expiresMs}.${this.#newNonce()}`
    return { session, cookie: cookieOf(`${said}.${this.#mac(said)}`, LIFE_MS / 1_000, secure) }
  }

  /** The session that a request's cookie proves; null without one, and for one that is over, ended or not ours. */
  read(headers: IncomingHttpHeaders): BrowserSession | null {
    const token = tokenOf(headers)
    const { keyId = '', expiresMs = '', nonce = '', mac = '' } = FORM.exec(token ?? '')?.groups ?? {}
    if (token === null || !isSame(mac, this.#mac(`${keyId}.${expiresMs}.${nonce}`))) return null
    if (Number(expiresMs) <= this.#now() || this.#ended.has(token)) return null
    return { keyId, expiresMs: Number(expiresMs) }
  }

  /** Ends the session of a request: this process takes its cookie no more, and the browser is told to forget it. */
  end(headers: IncomingHttpHeaders, secure: boolean): string {
    const token = tokenOf(headers)
    if (token !== null && this.read(headers) !== null) this.#ended.add(token)
    const [oldest] = this.#ended
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest)
    return cookieOf('', 0, secure)
  }

  #mac(said: string): string {
    return createHmac('sha256', this.#secret).update(said).digest('base64url')
  }
}

/** Out of reach of every script, and sent by pages of our own alone (RFC 6265bis). */
const cookieOf = (value: string, maxAgeS: number, secure: boolean): string =>
  `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${secure ? '; Secure' : ''}`

const tokenOf = ({ cookie = '' }: IncomingHttpHeaders): string | null =>
  cookie
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1) ?? null
