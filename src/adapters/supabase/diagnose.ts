import { clockDiagnosis, type Diagnosis } from '../../machines/ports/diagnosis.ts'
import type { Clock } from '../../machines/ports/environment.ts'
import type { Access } from './client.ts'

/** A `Date` header tells whole seconds, the moment being anywhere in its second. */
const HEADER_MS = 1_000

/** How far the project's clock is from ours, by the date of an answer; nothing where it tells none. Rejects when it is not reached. */
export const diagnoseSupabaseClock = async (
  { url }: Access,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Diagnosis[]> => {
  const askedMs = clock.now()
  const { headers } = await fetch(url, { method: 'HEAD', redirect: 'manual', signal })
  const itsMs = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(itsMs) ? [] : [clockDiagnosis('supabase', itsMs, askedMs - HEADER_MS, clock.now())]
}
