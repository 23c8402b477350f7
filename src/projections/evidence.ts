import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'

/** What is known of the world after (or during) a run: the invariants are judged on this alone. */
export interface Evidence {
  /** Sessions whose publication was acknowledged. */
  readonly accepted: ReadonlySet<SessionId>
  readonly facts: ReadonlyMap<SessionId, readonly Fact[]>
  /** Every refund in the ledger, oldest first. `us`: our refund function wrote it. */
  readonly refunds: readonly {
    readonly sessionId: SessionId
    readonly credits: number
    readonly by: 'us' | 'platform'
  }[]
  /** What readers saw of sessions while they ran, each as the facts' types in order. */
  readonly readings: readonly { readonly sessionId: SessionId; readonly types: readonly string[] }[]
  /** Session rows as the platform and people see them. */
  readonly rows: ReadonlyMap<SessionId, { readonly state: string | null; readonly seq: number | null }>
  /** Calls of the generate effect, where they were counted. `owner`: the process and grant that made the call. */
  readonly tries: readonly Try[]
  /** Each account's balance and what its charges and refunds add up to. */
  readonly balances: readonly { readonly account: string; readonly balance: number; readonly sum: number }[]
  /** Commits that the log accepted, where they were watched: under which epoch, and whose the partition was then. */
  readonly commits: readonly { readonly partition: number; readonly epoch: number; readonly owner: number }[]
  /** Absent where nobody watched it. */
  readonly wayBack?: WayBack
}

export interface Try {
  readonly sessionId: SessionId
  readonly attempt: number
  readonly owner: string
  readonly startedAt: number
  /** Null while it runs, or when its process died. */
  readonly endedAt: number | null
}

/** What operators paused and handed back. */
export interface WayBack {
  /** Every push to the producers' list, as it was made. */
  readonly pushes: readonly { readonly sessionId: SessionId; readonly release: number }[]
  /** Sessions whose task lies there still, or was taken by another worker: none of them is ours to work on. */
  readonly others: ReadonlySet<SessionId>
  /** When all tries were paused: from when every process had heard of it, until it ended. Ms. */
  readonly pauses: readonly { readonly from: number; readonly until: number }[]
}
