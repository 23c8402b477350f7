import type { z } from 'zod'
import type { Environment } from '../../machines/ports/environment.ts'
import { repeated } from './calls.ts'
import { type Access, supabaseClient } from './client.ts'
import { SupabaseError } from './errors.ts'
import { type Objection, objectionOrError } from './objects-errors.ts'

type StorageClient = ReturnType<typeof supabaseClient>['storage']

/** How long an answer is waited for, ms: of an upload, and of everything else. */
export interface StorageLimits {
  readonly uploadMs: number
  readonly callMs: number
}

/** An image of 3 MB takes seconds even over a poor line. */
export const storageLimits: StorageLimits = { uploadMs: 60_000, callMs: 10_000 }

/** A page of a listing has a thousand entries of some hundred bytes. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024

/** Makes one request with the client, and answers what the schema reads in it. @throws SupabaseError */
export type StorageCall = <Schema extends z.ZodType>(
  name: string,
  work: (storage: StorageClient) => Promise<{ data: unknown; error: unknown }>,
  schema: Schema,
) => Promise<z.output<Schema> | Objection>

/** Calls that are repeated after a failure in passing: all of ours change nothing the second time. */
export const storageCalls = (access: Access, env: Environment, limits: StorageLimits): StorageCall => {
  const { storage } = supabaseClient(access, boundedFetch(limits))
  const never = new AbortController().signal
  return (name, work, schema) => repeated(() => once(name, () => work(storage), schema), true, env, never)
}

const once = async <Schema extends z.ZodType>(
  name: string,
  work: () => Promise<{ data: unknown; error: unknown }>,
  schema: Schema,
): Promise<z.output<Schema> | Objection> => {
  try {
    const { data, error } = await work()
    if (error !== null) throw originalOf(error)
    const read = schema.safeParse(data)
    if (!read.success) throw new SupabaseError('unreadable', name)
    return read.data
  } catch (error) {
    if (error instanceof SupabaseError) throw error
    const what = objectionOrError(name, error)
    if (typeof what === 'string') return what
    throw what
  }
}

/** The client returns what was thrown below it inside an error of its own. */
const originalOf = (error: unknown): unknown =>
  error instanceof Error && 'originalError' in error ? error.originalError : error

/** An upload alone has a form as its body. */
const boundedFetch =
  ({ uploadMs, callMs }: StorageLimits): typeof fetch =>
  async (input, init) => {
    const limitMs = init?.body instanceof FormData ? uploadMs : callMs
    const response = await fetch(input, { ...init, signal: AbortSignal.timeout(limitMs) })
    const body: AsyncIterable<Uint8Array> | null = response.body
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of body ?? []) {
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) throw new SyntaxError('the answer is too long')
      chunks.push(chunk)
    }
    const { status, headers } = response
    return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, headers })
  }
