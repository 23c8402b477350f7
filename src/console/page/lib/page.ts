import type { Api } from './api.ts'

export type Scope = 'publish' | 'read' | 'finance' | 'operate' | 'estimate'

/** Who is signed in. */
export interface Me {
  readonly name: string
  /** Null: somebody on the server's own machine, who needs no key as long as there is none. */
  readonly key_id: string | null
  /** Null: everything. */
  readonly scopes: readonly Scope[] | null
  /** The one store or user whose sessions the key sees; null: all. */
  readonly tenant: string | null
  readonly expires_at: string | null
}

export interface PageContext {
  readonly api: Api
  /** What stands in the place of the path's `:names`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Aborts when the page is left: whatever it started ends then. */
  readonly signal: AbortSignal
  readonly me: Me
  /** Whether whoever is signed in may do what needs this scope. */
  readonly may: (scope: Scope) => boolean
  /** Shows another page, or this one anew. */
  readonly go: (path: string) => void
  /** Writes a path of this page into the address bar, so that a reload or a link shows the same; shows nothing anew. */
  readonly note: (path: string) => void
}

/** One page of the console. */
export interface Page {
  /** Below /console: `/sessions/:id`. */
  readonly path: string
  readonly title: string
  /** Its name in the navigation; null: reached by links alone. */
  readonly nav: string | null
  /** What a key needs to see it. */
  readonly scope: Scope
  /** Fills the empty main element; what it throws is shown in its place. */
  readonly show: (main: HTMLElement, context: PageContext) => Promise<void> | void
}
