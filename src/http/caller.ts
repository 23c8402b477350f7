import type { Scope } from '../projections/api-keys.ts'
import { Problem } from './problem.ts'

/** Who sent a request. */
export interface Caller {
  /** The key's name, or how somebody without one was let in. */
  readonly name: string
  readonly keyId: string | null
  /** Null: all of them. */
  readonly scopes: readonly Scope[] | null
  /** `store:<id>` or `user:<id>`: the only one whose sessions it sees and changes; null: all. */
  readonly tenant: string | null
  /** When whoever signed in with a browser has to do so again, ms since the epoch. */
  readonly untilMs?: number
}

/** Whoever calls what is open to all. */
export const ANYBODY: Caller = { name: 'anybody', keyId: null, scopes: [], tenant: null }
/** On the server's own machine, as long as there is no key. */
export const LOOPBACK: Caller = { name: 'loopback', keyId: null, scopes: null, tenant: null }
/** On the server's own machine, with the token that lies in its data folder. */
export const LOCAL_OPERATOR: Caller = { name: 'local operator', keyId: null, scopes: null, tenant: null }

/** In whose name something is done: the key's, else the one that the body gives. @throws Problem without either */
export const actorOf = ({ keyId, name }: Caller, by: string | undefined): string => {
  if (keyId !== null) return name
  if (by === undefined) {
    throw new Problem('invalid_request', { faults: [{ detail: 'by: is needed without a key', pointer: '#/by' }] })
  }
  return by
}

/** Whose sessions are shown: the caller's own, else those asked for. @throws Problem when it asks for another's */
export const keptTo = ({ tenant }: Caller, asked: string | undefined): string | undefined => {
  if (tenant === null) return asked
  if (asked !== undefined && asked.toLowerCase() !== tenant) throw new Problem('account_unknown')
  return tenant
}

/** The kind and id of a tenant. */
export const partsOfTenant = (tenant: string): { kind: 'store' | 'user'; id: string } => {
  const [kind, id = ''] = tenant.split(':')
  return { kind: kind === 'store' ? 'store' : 'user', id }
}
