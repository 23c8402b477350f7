/** What was found out about one part of the system, for an operator. */
export interface Diagnosis {
  /** The part, in a word or two. */
  readonly about: string
  /** `warn`: it works, and something will be lost or refused one day. `fail`: a start would be refused, or work stands still. */
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly says: string
  /** What to do about it; null when nothing is to be done, or `says` says it. */
  readonly remedy: string | null
}

export const ok = (about: string, says: string): Diagnosis => ({ about, verdict: 'ok', says, remedy: null })

export const warn = (about: string, says: string, remedy: string | null = null): Diagnosis => ({
  about,
  verdict: 'warn',
  says,
  remedy,
})

export const fail = (about: string, says: string, remedy: string | null = null): Diagnosis => ({
  about,
  verdict: 'fail',
  says,
  remedy,
})

/** Retries, the age of queued tasks and signed URLs are told by both clocks. */
const SKEW_WARN_MS = 2_000
const SKEW_FAIL_MS = 60_000

/** How far a server's clock is from ours. `askedMs` and `answeredMs`: our time before and after it told its own, which was `itsMs`. */
export const clockDiagnosis = (server: string, itsMs: number, askedMs: number, answeredMs: number): Diagnosis => {
  const late = Math.max(0, askedMs - itsMs)
  const early = Math.max(0, itsMs - answeredMs)
  const skewMs = Math.max(late, early)
  const about = `clock of ${server}`
  if (skewMs <= SKEW_WARN_MS) return ok(about, `agrees with ours within ${SKEW_WARN_MS / 1_000} s`)
  const says = `is ${(skewMs / 1_000).toFixed(1)} s ${late > early ? 'behind' : 'ahead of'} ours`
  const remedy = 'have both machines set their clocks by NTP'
  return skewMs > SKEW_FAIL_MS ? fail(about, says, remedy) : warn(about, says, remedy)
}

/** Whether the log has as many partitions as it is asked for; null for a log that nobody made yet. */
export const partitionsDiagnosis = (actual: number | null, asked: number): Diagnosis => {
  if (actual === null) return ok('partitions', `the first start makes the log with ${asked}`)
  if (actual === asked) return ok('partitions', `${actual}, as PARTITIONS says`)
  return fail('partitions', `the log has ${actual} for good, not ${asked}`, `set PARTITIONS=${actual}`)
}
