import type { Page } from './page.ts'

/** What a key lets its bearer do; none of them includes another. */
export const SCOPES = ['publish', 'read', 'finance', 'operate', 'estimate'] as const
export type Scope = (typeof SCOPES)[number]

/** A key as everybody may see it. Times are ISO 8601, UTC. */
export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  /** `store:<id>` or `user:<id>`: the only one whose sessions it sees and changes; null: all. */
  readonly tenant: string | null
  readonly createdBy: string
  readonly createdAt: string
  readonly expiresAt: string | null
  /** About when it was used last, to the hour. */
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
}

/** A key with the SHA-256 (hex) of its secret. */
export interface KeptKey extends ApiKey {
  readonly secretHash: string
}

export type NewKey = Omit<KeptKey, 'lastUsedAt' | 'revokedAt'>

/** The keys of the API. They are never deleted, so that what one did can be told as long as the audit is kept. */
export interface ApiKeys {
  create(key: NewKey): Promise<void>
  find(id: string): Promise<KeptKey | null>
  /** Whether there ever was one. */
  any(): Promise<boolean>
  /** The newest first. */
  list(limit: number): Promise<ApiKey[]>
  /** Ends a key; one that was revoked before keeps its time. Null for one that there is not. */
  revoke(id: string, at: string): Promise<ApiKey | null>
  /** Notes a use; a time that is not later than the one noted changes nothing. */
  used(id: string, at: string): Promise<void>
}

/** One thing that somebody asked of the service, written down before it was done. */
export interface AuditEntry {
  readonly id: string
  readonly at: string
  /** The key's name, or how whoever acts on the server's own machine was let in. */
  readonly actor: string
  readonly keyId: string | null
  /** `refund.settle`, `key.create`, … */
  readonly action: string
  /** What it was done to: an id, a name. */
  readonly target: string | null
  readonly requestId: string
  /** What else was asked: who it was done for, why. */
  readonly detail: Readonly<Record<string, unknown>>
  /** `done`, or the code of the problem that it was answered with; null while it runs, or when the process died meanwhile. */
  readonly outcome: string | null
}

/** Who did what. Entries are added and get their outcome, once; nothing else changes them. */
export interface Audit {
  begin(entry: Omit<AuditEntry, 'outcome'>): Promise<void>
  end(id: string, outcome: string): Promise<void>
  /** The newest first. `action`: this one, or all that begin with it and a dot. */
  list(filter: { action?: string; target?: string; cursor?: string; limit: number }): Promise<Page<AuditEntry>>
}
