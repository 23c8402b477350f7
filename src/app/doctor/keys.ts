import { z } from 'zod'
import { readHolder } from '../../adapters/postgres/lock.ts'
import type { Config } from '../../config.ts'
import { type Diagnosis, ok, warn } from '../../machines/ports/diagnosis.ts'
import type { ApiKey } from '../../projections/api-keys.ts'
import { readOperatorToken } from '../operator-token.ts'

/** What decides whether a key may be used. */
type Validity = Pick<ApiKey, 'revokedAt' | 'expiresAt'>

/** Who may use the API, by all keys that there are. */
export const keysDiagnosis = (keys: readonly Validity[], nowMs: number): Diagnosis => {
  const usable = keys.filter(
    ({ revokedAt, expiresAt }) => revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > nowMs),
  )
  if (usable.length > 0) return ok('api keys', `${usable.length} may be used`)
  const says = keys.length === 0 ? 'none: the API answers this machine alone' : 'all are revoked or over'
  return warn('api keys', says, 'npm run wearon -- keys create --name NAME --scope SCOPE')
}

const Keys = z.object({
  items: z.array(
    z
      .object({ revoked_at: z.string().nullable(), expires_at: z.string().nullable() })
      .transform(({ revoked_at: revokedAt, expires_at: expiresAt }) => ({ revokedAt, expiresAt })),
  ),
})

/** The keys in an embedded database: only the server that has it can tell, and as long as none runs nobody is asked for one. */
export const embeddedKeysDiagnoses = async (
  { dataDir, apiKey }: Config,
  nowMs: number,
  signal: AbortSignal,
): Promise<Diagnosis[]> => {
  const url = readHolder(dataDir)?.url ?? null
  if (url === null) return []
  const bearer = apiKey ?? readOperatorToken(dataDir)
  const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` }
  const answer = await fetch(`${url}/v1/keys`, { headers, signal }).catch(() => null)
  const read = Keys.safeParse(await answer?.json().catch(() => null))
  return read.success ? [keysDiagnosis(read.data.items, nowMs)] : []
}
