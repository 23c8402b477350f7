import type { IncomingHttpHeaders } from 'node:http'
import type { Request, Response } from 'express'
import { SessionId } from '../events/ids.ts'
import type { ApiKey } from '../projections/api-keys.ts'
import type { Access } from './access.ts'
import { type Credential, isSame, readKey } from './api-key.ts'
import { BrowserSessions } from './browser-session.ts'
import { ANYBODY, type Caller, LOCAL_OPERATOR, LOOPBACK } from './caller.ts'
import { KeyRing } from './key-ring.ts'
import type { HttpParts } from './parts.ts'
import { isFromAnotherSite, isFromOwnPage, isLocal, limitedBy, namesThisMachine } from './peer.ts'
import { Problem, reach } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { findSession } from './sessions.ts'

/** Says who sent a request, and whether the route is for them. */
export class Gate {
  /** Who signed in with a browser. */
  readonly sessions: BrowserSessions
  readonly #parts: HttpParts
  readonly #ring: KeyRing
  readonly #ofKeys: RateLimit
  readonly #ofAddresses: RateLimit

  constructor(parts: HttpParts) {
    const { env, limits, keys } = parts
    this.#parts = parts
    this.sessions = new BrowserSessions(parts.consoleSecret, { now: () => env.clock.now(), newNonce: parts.newSecret })
    this.#ring = new KeyRing(keys, limits.keyCacheMs, env)
    this.#ofKeys = new RateLimit('key', limits.keyRequestsPerMinute, env.clock)
    this.#ofAddresses = new RateLimit('address', limits.addressRequestsPerMinute, env.clock)
  }

  /** @throws Problem when the route is not for whoever asks. */
  async admit(access: Access, request: Request, response: Response): Promise<Caller> {
    if (access.kind === 'open') return ANYBODY
    if (access.kind === 'console' && (await reach(this.#ring.any()))) return ANYBODY
    const caller = await reach(this.#identify(request, response))
    if (access.kind === 'console' || access.kind === 'known') return caller
    if (caller.scopes !== null && !caller.scopes.includes(access.scope)) {
      throw new Problem('scope_missing', { faults: [{ detail: `needs the scope ${access.scope}` }] })
    }
    if (caller.tenant === null) return caller
    if (access.kind === 'service') throw new Problem('key_restricted')
    if (access.kind === 'session') await this.#findOwn(request.params['id'], caller.tenant)
    return caller
  }

  /** Whether somebody who was let in a while ago would be let in now. */
  async holds({ keyId, name, untilMs = Infinity }: Caller): Promise<boolean> {
    if (untilMs <= this.#parts.env.clock.now()) return false
    if (keyId !== null) return (await this.#ring.valid(keyId)) !== null
    return name !== LOOPBACK.name || !(await this.#ring.any())
  }

  /** Looks at a key anew that was changed here. */
  forget(keyId: string): void {
    this.#ring.forget(keyId)
  }

  async #identify(request: Request, response: Response): Promise<Caller> {
    const bearer = bearerOf(request.headers)
    if (bearer === null) return (await this.#ofBrowser(request, response)) ?? this.#withoutKey(request, response)
    const credential = readKey(bearer)
    if (credential !== null) return this.#ofKey(credential, request, response)
    const { operatorToken } = this.#parts
    if (operatorToken !== null && isLocal(request) && isSame(bearer, operatorToken)) return LOCAL_OPERATOR
    this.#limitAddress(request, response)
    return this.#refuse('malformed')
  }

  /** Whoever signed in; null without a session that counts. @throws Problem when a page of another may have sent it. */
  async #ofBrowser(request: Request, response: Response): Promise<Caller | null> {
    const session = this.sessions.read(request.headers)
    const publicUrl = this.#parts.publicUrl()
    if (session === null || isFromAnotherSite(request, publicUrl)) return null
    const key = await this.#ring.valid(session.keyId)
    if (key === null) return null
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isFromOwnPage(request, publicUrl)) {
      throw new Problem('cross_site')
    }
    this.#take(this.#ofKeys, 'key', key.id, response)
    return { ...callerOf(key), untilMs: session.expiresMs }
  }

  async #withoutKey(request: Request, response: Response): Promise<Caller> {
    if (isLocal(request) && !(await this.#ring.any())) {
      // A page may give its own name this machine's address, and then speak to it as to itself.
      if (!namesThisMachine(request)) throw new Problem('host_refused')
      return LOOPBACK
    }
    this.#limitAddress(request, response)
    throw new Problem('key_missing', { headers: CHALLENGE })
  }

  async #ofKey(credential: Credential, request: Request, response: Response): Promise<Caller> {
    const wasProved = this.#ring.wasProved(credential)
    if (!wasProved) this.#limitAddress(request, response)
    const verdict = await this.#ring.verify(credential)
    if (verdict.outcome !== 'valid') {
      if (wasProved) this.#limitAddress(request, response)
      return this.#refuse(verdict.outcome)
    }
    this.#take(this.#ofKeys, 'key', verdict.key.id, response)
    return callerOf(verdict.key)
  }

  #refuse(reason: string): never {
    this.#parts.env.meter.count('api_keys_refused_total', { reason })
    throw new Problem('key_refused', { headers: CHALLENGE })
  }

  #limitAddress({ ip }: Request, response: Response): void {
    this.#take(this.#ofAddresses, 'address', limitedBy(ip), response)
  }

  /** Takes one request from a share, and says in the headers what is left. @throws Problem `rate_limited` */
  #take(limit: RateLimit, share: string, caller: string, response: Response): void {
    const { allowed, headers } = limit.take(caller)
    response.set(headers)
    if (allowed) return
    this.#parts.env.meter.count('http_rate_limited_total', { share })
    throw new Problem('rate_limited', { headers })
  }

  /** Another's session is not found, as one that there never was. */
  async #findOwn(id: unknown, tenant: string): Promise<void> {
    const read = SessionId.safeParse(id)
    if (!read.success) return
    const view = await findSession(read.data, this.#parts)
    if (view.tenant !== tenant) throw new Problem('session_unknown')
  }
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="wearon"' }

const callerOf = ({ id, name, scopes, tenant }: ApiKey): Caller => ({ keyId: id, name, scopes, tenant })

const bearerOf = ({ authorization }: IncomingHttpHeaders): string | null =>
  /^Bearer +(?<token>\S+) *$/i.exec(authorization ?? '')?.groups?.['token'] ?? (authorization === undefined ? null : '')
