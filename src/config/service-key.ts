import { z } from 'zod'

const Claims = z.object({ role: z.literal('service_role') })

/** Whether a Supabase key is the service role's: `sb_secret_…`, or a JWT that says so of itself. No other reaches what is ours. */
export const isServiceKey = (key: string): boolean => {
  if (key.startsWith('sb_')) return key.startsWith('sb_secret_')
  const [, claims = ''] = key.split('.')
  try {
    return Claims.safeParse(JSON.parse(Buffer.from(claims, 'base64url').toString())).success
  } catch {
    return false
  }
}
