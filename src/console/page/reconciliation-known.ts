/** Which part of the books; as the API's parameters say it. */
export type BookScope = Readonly<
  Record<'day' | 'from' | 'until' | 'store' | 'user' | 'session' | 'as_of', string | null>
>

interface ClassMeaning {
  readonly meaning: string
  readonly severity: 'none' | 'exception' | 'imbalance'
}

/** What `GET /v1/reconciliation` answers; amounts are credits. */
export interface Books {
  readonly as_of: string
  readonly position: number
  readonly ledger_lines: number
  readonly checksum: string
  readonly balanced: boolean
  readonly sessions: number
  readonly charged: number
  readonly kept: number
  readonly given_back: number
  readonly owed: number
  readonly open: number
  readonly drift: number
  readonly escalated: number
  readonly oldest_owed_seconds: number | null
  readonly classes: Readonly<Record<string, number>>
  readonly meanings: Readonly<Record<string, ClassMeaning>>
  readonly ages: Readonly<Record<string, { readonly sessions: number; readonly credits: number }>>
  readonly channels: Readonly<
    Record<
      string,
      { readonly sessions: number; readonly charged: number; readonly given_back: number; readonly drift: number }
    >
  >
}

/** A line of the books that has a name of its own. */
export interface BookLine {
  readonly class: string
  readonly kind: string
  readonly session_id: string | null
  readonly channel: string | null
  readonly owner_id: string | null
  readonly email: string | null
  readonly ledger_record: string | null
  readonly since: string
  readonly charged: number
  readonly given_back: number
  readonly drift: number
  readonly detail: string
  readonly meaning: string
}
