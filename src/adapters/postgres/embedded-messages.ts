/** What the database's thread is asked, one answer each. `scope`: within the transaction of this number; null: on its own. */
export type Ask =
  | { readonly ask: 'query'; readonly scope: number | null; readonly text: string; readonly values: readonly unknown[] }
  | { readonly ask: 'script'; readonly scope: number | null; readonly text: string }
  | { readonly ask: 'begin'; readonly scope: number }
  | { readonly ask: 'end'; readonly scope: number; readonly commits: boolean }
  | { readonly ask: 'listen' | 'unlisten'; readonly channel: string }
  | { readonly ask: 'close' }

export interface Asked {
  readonly id: number
  readonly what: Ask
}

/** An error as it crosses threads: what tells it apart, and no object of the driver's. */
export interface ToldError {
  readonly message: string
  readonly stack: string | undefined
  /** SQLSTATE. */
  readonly code: string | undefined
}

export type Told =
  | { readonly id: number; readonly rows: readonly unknown[] }
  | { readonly id: number; readonly error: ToldError }
  | { readonly channel: string; readonly payload: string }
