import type { Scope } from '../projections/api-keys.ts'

/** Who may call a route. Each route says it, so that none can forget. */
export type Access =
  | { readonly kind: 'open' }
  /** The console's own files, which say nothing: open as soon as one can sign in; before, on this machine alone. */
  | { readonly kind: 'console' }
  /** Whoever has a key, whatever it is for. */
  | { readonly kind: 'known' }
  /** About one session, the path's `:id`: a key of one store or user finds its own, and no other. */
  | { readonly kind: 'session'; readonly scope: Scope }
  /** About sessions: the route itself keeps to the caller's tenant. */
  | { readonly kind: 'tenant'; readonly scope: Scope }
  /** About the service as a whole: not for keys of one store or user. */
  | { readonly kind: 'service'; readonly scope: Scope }

export const open: Access = { kind: 'open' }
export const ofConsole: Access = { kind: 'console' }
export const ofKnown: Access = { kind: 'known' }
export const ofSession = (scope: Scope): Access => ({ kind: 'session', scope })
export const ofTenant = (scope: Scope): Access => ({ kind: 'tenant', scope })
export const ofService = (scope: Scope): Access => ({ kind: 'service', scope })
