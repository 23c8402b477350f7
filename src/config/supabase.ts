import { isServiceKey } from './service-key.ts'
import type { Variables } from './variables.ts'

/** The project's address and the key of its service role, when both are given. */
export const supabaseOf = ({ SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key }: Variables) =>
  url === undefined || key === undefined ? null : { url, key }

/** What those of the choices that fell on Supabase miss, one line each. */
export const supabaseProblems = (
  { SUPABASE_URL: url, SUPABASE_SERVICE_ROLE_KEY: key }: Variables,
  choices: readonly string[],
): string[] => {
  if (choices.length === 0) return []
  const needed = `is needed for ${choices.map((name) => `${name}=supabase`).join(' and ')}`
  return [
    ...(url === undefined ? [`SUPABASE_URL ${needed}`] : []),
    ...(key === undefined ? [`SUPABASE_SERVICE_ROLE_KEY ${needed}`] : []),
    ...(key !== undefined && !isServiceKey(key)
      ? ['SUPABASE_SERVICE_ROLE_KEY is no key of the service role: sb_secret_…, or the legacy one called service_role']
      : []),
  ]
}
