import { createClient } from '@supabase/supabase-js'
import { BadAnswer, inOurWords } from './errors.ts'

/** Where the project answers, and the key of its service role. */
export interface Access {
  /** `https://<project>.supabase.co`, without a path. */
  readonly url: string
  /** `sb_secret_…`, or the legacy JWT with the role `service_role`. */
  readonly key: string
}

/**
 * Calls a function of schema `public` once and answers what it returned, null for nothing. Without an answer after
 * `timeoutMs` it gives up; the database may go on. @throws Refused, SupabaseError
 */
export type CallOnce = (name: string, args: Readonly<Record<string, unknown>>, timeoutMs: number) => Promise<unknown>

/** A client that keeps no session, refreshes none and opens no socket: one HTTP request per call, made with `request`. */
export const supabaseClient = ({ url, key }: Access, request: typeof fetch = fetch) =>
  createClient(url, key, {
    db: { schema: 'public' },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: checkedFetch(key, request) },
  })

export const supabaseCalls = (access: Access): CallOnce => {
  const client = supabaseClient(access)
  return async (name, args, timeoutMs) => {
    try {
      // Otherwise it takes some answers for success that are none, as an empty 404 is.
      const answer = await client.rpc(name, args).abortSignal(AbortSignal.timeout(timeoutMs)).throwOnError()
      return answer.data as unknown
    } catch (error) {
      throw inOurWords(name, error)
    }
  }
}

/**
 * A secret key is no JWT: it travels as `apikey` alone, and the gateway puts its own JWT in its place. A legacy key travels as
 * `apikey` and as `Authorization`. A redirect is an error: followed, the POST would become a GET.
 */
const checkedFetch =
  (key: string, request: typeof fetch): typeof fetch =>
  async (input, init) => {
    const headers = new Headers(init?.headers)
    if (key.startsWith('sb_')) headers.delete('Authorization')
    const response = await request(input, { ...init, headers, redirect: 'manual' })
    if (response.ok) return response
    throw new BadAnswer(response.status, await response.text(), response.headers.get('retry-after'))
  }
