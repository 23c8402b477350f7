import { backoffMs } from '../../machines/policy.ts'
import type { Environment } from '../../machines/ports/environment.ts'
import { type CallFunction, Refused } from '../shared/database/functions.ts'
import type { CallOnce } from './client.ts'
import { repeatAfter, SupabaseError } from './errors.ts'

/** Whether a function may be called again although the first call may have been carried out, and why. */
interface Rule {
  readonly repeat: boolean
  readonly because: string
  readonly timeoutMs?: number
}

/** Ours take milliseconds; a hosted project cancels them after 8 s. */
const TIMEOUT_MS = 10_000
/** Those that go over whole tables, for a project whose statement timeout lets them. */
const LONG_MS = 60_000

const read: Rule = { repeat: true, because: 'it only reads' }

/** One row per function. What has none is not repeated. */
export const rules: Readonly<Record<string, Rule>> = {
  wearon_archive_heads: read,
  wearon_archive_head: read,
  wearon_archive_read: read,
  wearon_archive_session: read,
  wearon_knows: read,
  wearon_step: read,
  wearon_sessions_after: { ...read, timeoutMs: LONG_MS },
  wearon_projection_position: read,
  wearon_projection_status: read,
  wearon_looks: read,
  wearon_sessions: read,
  wearon_sessions_by_id: read,
  wearon_backlogs: read,
  wearon_open_sessions: read,
  wearon_census: read,
  wearon_refunds: read,
  wearon_accepted: read,
  wearon_reconciliation: { ...read, timeoutMs: LONG_MS },
  wearon_exceptions: { ...read, timeoutMs: LONG_MS },
  wearon_totals: { ...read, timeoutMs: LONG_MS },
  wearon_reconciliation_runs: read,
  wearon_refund_story: read,
  wearon_applied_migrations: read,
  wearon_past_rows: { ...read, timeoutMs: LONG_MS },
  wearon_orphans: { ...read, timeoutMs: LONG_MS },
  wearon_orphan_rows: { ...read, timeoutMs: LONG_MS },
  wearon_note_objects: { repeat: true, because: 'what was noted at that time is noted once' },
  wearon_erasable: { ...read, timeoutMs: LONG_MS },
  wearon_erase: { repeat: true, because: 'what is erased stays so', timeoutMs: LONG_MS },
  wearon_note_erasure: { repeat: false, because: 'it would be noted twice' },
  wearon_forget_expired: {
    repeat: true,
    because: 'what is forgotten stays so; only the count is less',
    timeoutMs: LONG_MS,
  },
  wearon_key: read,
  wearon_key_any: read,
  wearon_keys: read,
  wearon_audit: read,
  wearon_untouched: { ...read, timeoutMs: LONG_MS },
  wearon_released: read,
  wearon_handback_counts: { ...read, timeoutMs: LONG_MS },
  wearon_pauses: read,
  wearon_pause: { repeat: true, because: 'one that stands stays as it is' },
  wearon_resume: { repeat: true, because: 'what goes on goes on; only the answer is less' },
  wearon_key_create: { repeat: false, because: 'the first may have made it, and a second of its id is refused' },
  wearon_key_revoke: { repeat: true, because: 'it keeps the time of the first' },
  wearon_key_used: { repeat: true, because: 'the same time changes nothing' },
  wearon_audit_begin: { repeat: true, because: 'an entry of this id is there once' },
  wearon_audit_end: { repeat: true, because: 'an outcome stays' },
  wearon_unreturned: { ...read, timeoutMs: LONG_MS },
  wearon_archive_append: {
    repeat: true,
    because: 'steps that are there do not follow: moved, and the caller looks anew',
  },
  wearon_apply: { repeat: true, because: 'the position is behind them: moved, and the caller looks anew' },
  wearon_admit: { repeat: true, because: 'the same grant is admitted again' },
  wearon_mend: {
    repeat: true,
    because: 'the head says that it is done, or is behind it: moved, and the caller looks anew',
    timeoutMs: LONG_MS,
  },
  wearon_retry_set_aside: { repeat: true, because: 'what was written is set aside no more', timeoutMs: LONG_MS },
  wearon_refund: { repeat: true, because: 'it finds the record of the first' },
  wearon_settle: { repeat: true, because: 'it finds the record of the first' },
  wearon_reconcile: { repeat: true, because: 'it answers the run that is recent enough', timeoutMs: LONG_MS },
  wearon_accept: {
    repeat: true,
    because: 'it answers again with the first answer, not yet published: the caller goes on',
  },
  wearon_accept_published: { repeat: true, because: 'published stays published' },
  wearon_accept_prune: { repeat: true, because: 'what is forgotten stays so; only the count is less' },
  wearon_rebuild_begin: {
    repeat: false,
    because: 'a late first call would empty rows that are computed aside already',
  },
  wearon_rebuild_switch: { repeat: false, because: 'the report of the first would be lost', timeoutMs: LONG_MS },
}

const RETRIES_MAX = 4
const backoff = { firstMs: 100, maxMs: 2_000 }
/** Whoever called has other work, and limits of its own: no repeat begins later than this. */
const GIVE_UP_MS = 12_000

/** Calls functions, and repeats as the table lets it. */
export const repeatingCalls =
  (call: CallOnce, env: Environment, closing: AbortSignal): CallFunction =>
  (name, args) => {
    const { repeat = false, timeoutMs = TIMEOUT_MS } = rules[name] ?? {}
    return repeated(() => call(name, args, timeoutMs), repeat, env, closing)
  }

/** Repeats a call that failed in passing: always when nothing of it happened, otherwise where `repeat` says that it may be. */
export const repeated = async <Answer>(
  call: () => Promise<Answer>,
  repeat: boolean,
  env: Environment,
  closing: AbortSignal,
): Promise<Answer> => {
  const { clock, meter } = env
  const lastAt = clock.now() + GIVE_UP_MS
  for (let tries = 0; ; tries++) {
    try {
      return await call()
    } catch (error) {
      meter.count('supabase_failures_total', { code: codeOf(error) })
      const waitMs = Math.max(backoffMs(backoff, tries, env.random()), retryAfterMs(error))
      const outcome = repeatAfter(error)
      const mayRepeat = outcome === 'safe' || (outcome === 'open' && repeat)
      if (!mayRepeat || tries === RETRIES_MAX || clock.now() + waitMs > lastAt) throw error
      await clock.sleep(waitMs, closing)
      if (closing.aborted) throw error
    }
  }
}

const codeOf = (error: unknown): string => {
  if (error instanceof SupabaseError) return error.code
  return error instanceof Refused ? 'refused' : 'unknown'
}

const retryAfterMs = (error: unknown): number => (error instanceof SupabaseError ? (error.retryAfterMs ?? 0) : 0)
