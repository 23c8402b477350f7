import { z } from 'zod'
import { readHolder } from '../../adapters/postgres/lock.ts'
import type { Config } from '../../config.ts'
import { type Diagnosis, fail, ok, warn } from '../../machines/ports/diagnosis.ts'
import type { Pause } from '../../machines/ports/pauses.ts'

const PAUSED_LONG_MS = 3_600_000

const Ready = z.object({
  draining: z.boolean(),
  checks: z.record(z.string(), z.string()),
  damaged_partitions: z.array(z.number()),
})

/** The server of this machine, as it says itself; that none runs is no fault. */
export const serverDiagnoses = async (config: Config, signal: AbortSignal): Promise<Diagnosis[]> => {
  const url = readHolder(config.dataDir)?.url ?? `http://127.0.0.1:${config.port}`
  const answer = await fetch(`${url}/readyz`, { signal }).catch(() => null)
  if (answer === null) return [ok('server', `none runs at ${url}`)]
  const ready = Ready.safeParse(await answer.json().catch(() => null))
  if (!ready.success) return [fail('server', `another program answers at ${url}`, 'stop it, or set PORT')]
  return [readiness(url, ready.data)]
}

const readiness = (
  url: string,
  { draining, checks, damaged_partitions: damaged }: z.infer<typeof Ready>,
): Diagnosis => {
  const failing = Object.entries(checks).filter(([, remedy]) => remedy !== 'ok')
  const remedies = failing.map(([, remedy]) => remedy).join(' ')
  if (draining) return warn('server', `at ${url} is stopping`)
  if (damaged.length > 0)
    return fail('server', `at ${url}: partitions ${damaged.join(', ')} are damaged`, 'wearon repair PARTITION')
  if (failing.length > 0)
    return fail('server', `at ${url} is not ready: ${failing.map(([name]) => name).join(', ')}`, remedies)
  return ok('server', `at ${url} is ready`)
}

/** What operators told the fleet to wait with. */
export const pausesDiagnosis = (pauses: readonly Pause[], nowMs: number): Diagnosis => {
  if (pauses.length === 0) return ok('pauses', 'none')
  const says = pauses.map(({ scope, by, since }) => `${scope} by ${by} since ${since}`).join(', ')
  const isLong = pauses.some(({ since }) => nowMs - Date.parse(since) > PAUSED_LONG_MS)
  return isLong ? warn('pauses', says, 'wearon pauses says why; wearon resume ends one') : ok('pauses', says)
}
