import type { SessionTable } from '../machines/compile.ts'
import { type Change, Refold } from '../machines/refold.ts'
import type { Snapshot } from '../machines/snapshot.ts'
import type { Recorded, RecordedFact, UnreadableFact } from './fact-dump.ts'

/** A session whose row says something else than its facts do by this machine. */
export interface RowDiffers {
  readonly kind: 'row_differs'
  readonly sessionId: string
  readonly seq: number
  readonly was: string
  readonly now: string
}

/** What a deployment of this version would change. */
export type Finding = Change | RowDiffers | ({ readonly kind: 'unreadable' } & UnreadableFact)

export interface ReplayReport {
  readonly facts: number
  readonly sessions: number
  /** The first of them, in the archive's order. */
  readonly findings: readonly Finding[]
  /** It found enough, and did not go on. */
  readonly stopped: boolean
}

/** So many findings answer the question; what is wrong with all sessions need not be said a million times. */
const FINDINGS_MAX = 1_000
/** Sessions that are held against their rows at once. */
const ROWS_AT_ONCE = 32

export interface ReplayOptions {
  readonly table: SessionTable
  /** The facts begin with the first of the archive. */
  readonly whole: boolean
  /** One session of so many is folded; 1: all. */
  readonly sample: number
  /** What is recorded of a session beside its facts, held against where it stands. */
  readonly check?: (session: Snapshot) => Promise<Finding | null>
  /** Gets each fact that follows, with where it left its session. */
  readonly onFact?: (recorded: RecordedFact) => void | Promise<void>
  /** So many facts were read. */
  readonly onProgress?: (facts: number) => void
}

/** Folds what was recorded through a machine, in bounded memory, and says what would come out otherwise. @throws TooManyOpen */
export const replayAll = async (recorded: AsyncIterable<Recorded>, options: ReplayOptions): Promise<ReplayReport> => {
  const { table, whole, sample, check, onFact, onProgress } = options
  const refold = new Refold(table, { whole })
  const findings: Finding[] = []
  const standing: Snapshot[] = []
  let facts = 0
  for await (const one of recorded) {
    facts++
    onProgress?.(facts)
    if (findings.length >= FINDINGS_MAX) return { facts, sessions: refold.sessions, findings, stopped: true }
    if (!('fact' in one)) findings.push({ kind: 'unreadable', ...one })
    else if (isInSample(one.fact.sessionId, sample)) {
      const folded = refold.take(one.fact, one.state)
      if (folded.kind === 'change') findings.push(folded.change)
      if (folded.kind === 'moved') await onFact?.({ fact: one.fact, state: folded.session.state })
      if (folded.kind === 'moved' && folded.closed) standing.push(folded.session)
    }
    if (standing.length >= ROWS_AT_ONCE) findings.push(...(await checked(standing.splice(0), check)))
  }
  standing.push(...refold.open)
  while (standing.length > 0) findings.push(...(await checked(standing.splice(0, ROWS_AT_ONCE), check)))
  return { facts, sessions: refold.sessions, findings: findings.slice(0, FINDINGS_MAX), stopped: false }
}

/** By the last digits of its id, which are random in every kind of UUID that is in use. */
const isInSample = (id: string, sample: number): boolean => Number.parseInt(id.slice(-8), 16) % sample === 0

const checked = async (sessions: readonly Snapshot[], check: ReplayOptions['check']): Promise<Finding[]> => {
  if (check === undefined) return []
  const found = await Promise.all(sessions.map(check))
  return found.filter((finding) => finding !== null)
}
