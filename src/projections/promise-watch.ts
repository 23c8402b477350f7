import type { Fact } from '../events/fact.ts'
import type { SessionId } from '../events/ids.ts'
import { sessionTable } from '../machines/compile.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { Evidence } from './evidence.ts'
import { violations } from './invariants.ts'
import type { Queries } from './queries.ts'
import type { LedgerLine } from './reconciliation.ts'
import type { Archive } from './store.ts'

/** So many facts one look goes on at most: a busier system is judged by samples. */
const FACTS_MAX = 500
/** So many sessions one look judges at most: each takes three questions of the database. */
const SESSIONS_MAX = 50

/** Holds the live tables against the design's promises: the sessions whose facts came since the last look, or a sample of them. */
export class PromiseWatch {
  readonly #archive: Pick<Archive, 'head' | 'read' | 'session'>
  readonly #queries: Pick<Queries, 'refundStory'>
  readonly #env: Pick<Environment, 'logger' | 'meter'>
  #position: number | null = null

  constructor(
    { archive, queries }: { readonly archive: Archive; readonly queries: Queries },
    env: Pick<Environment, 'logger' | 'meter'>,
  ) {
    this.#archive = archive
    this.#queries = queries
    this.#env = env
  }

  async look(): Promise<void> {
    const { logger, meter } = this.#env
    const ids = await this.#changed()
    const evidence = await this.#evidence(ids)
    const found = violations(sessionTable, evidence, { atRest: false })
    meter.count('promises_judged_sessions_total', {}, evidence.facts.size)
    for (const { promise } of found) meter.count('promise_violations_total', { promise })
    for (const violation of found)
      logger.error({ ...violation }, 'a promise of the design does not hold: see the runbook')
  }

  /** Sessions with facts since the last look; from the newest back when there are too many to judge. */
  async #changed(): Promise<SessionId[]> {
    const head = await this.#archive.head()
    const from = Math.max(this.#position ?? 0, head - FACTS_MAX)
    this.#position = head
    if (from >= head) return []
    const facts = await this.#archive.read(from, head - from)
    const newest = facts.toReversed().map(({ fact }) => fact.sessionId)
    return [...new Set(newest)].slice(0, SESSIONS_MAX)
  }

  /** Facts first, so that the ledger is the later of the two: what the facts say was given back is in it by then. */
  async #evidence(ids: readonly SessionId[]): Promise<Evidence> {
    const facts = new Map<SessionId, readonly Fact[]>()
    const refunds: Evidence['refunds'][number][] = []
    for (const id of ids) {
      const history = await this.#archive.session(id)
      const story = await this.#queries.refundStory(id)
      // The projection of refunds does not know it yet, so neither can its story say what the ledger has.
      if (story === null) continue
      facts.set(id, history)
      refunds.push(...story.ledger.filter(({ type }) => type === 'refund').map((line) => refundOf(id, line)))
    }
    return { ...unseen, facts, refunds }
  }
}

/** What the database alone does not show, or the reconciliation looks at already. */
const unseen = { accepted: new Set<SessionId>(), readings: [], rows: new Map(), tries: [], balances: [], commits: [] }

const refundOf = (sessionId: SessionId, { amount, description }: LedgerLine): Evidence['refunds'][number] => ({
  sessionId,
  credits: amount,
  by: description === `refund:${sessionId}` ? 'us' : 'platform',
})
