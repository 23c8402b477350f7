import { z } from 'zod'
import { readHolder } from '../../adapters/postgres/lock.ts'
import type { Config } from '../../config.ts'
import { type Diagnosis, fail, ok, warn } from '../../machines/ports/diagnosis.ts'
import type { ApiKey } from '../../projections/api-keys.ts'

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

/** Who may use the API, by all keys that there are. */
export const keysDiagnosis = (keys: readonly ApiKey[], nowMs: number): Diagnosis => {
  const usable = keys.filter(
    ({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > nowMs),
  )
  if (usable.length > 0) return ok('api keys', `${usable.length} may be used`)
  const says = keys.length === 0 ? 'none: the API answers this machine alone' : 'all are revoked or over'
  return warn('api keys', says, 'npm run wearon -- keys create --name NAME --scope SCOPE')
}
