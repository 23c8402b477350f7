import { openSupabaseObjects } from '../../src/adapters/supabase/objects.ts'
import type { OpenedObjects } from '../contracts/objects.ts'
import { realClock } from './clock.ts'
import { quietEnvironment } from './environment.ts'
import { type StorageServerOptions, startStorage } from './storage-server.ts'

/** What whoever has a signed URL gets, over HTTP. */
const download = async (url: string): Promise<Uint8Array | null> => {
  const response = await fetch(url)
  const bytes = new Uint8Array(await response.arrayBuffer())
  return response.ok ? bytes : null
}

/** The adapter in front of the double. */
export const doubledObjects = async (options: StorageServerOptions = {}): Promise<OpenedObjects> => {
  const server = await startStorage(options)
  const access = { url: server.url, key: server.keys.secret }
  return {
    store: openSupabaseObjects(access, { env: quietEnvironment(realClock) }),
    open: download,
    now: () => server.now(),
    pass: async (ms) => server.pass(ms),
    close: () => server.close(),
  }
}

/** The adapter in front of a real project, whose clock nobody moves. */
export const realObjects = async (access: { url: string; key: string }): Promise<OpenedObjects> => ({
  store: openSupabaseObjects(access, { env: { ...quietEnvironment(realClock), newId: () => crypto.randomUUID() } }),
  open: download,
  now: () => Date.now(),
  pass: (ms) => realClock.sleep(ms, new AbortController().signal),
  close: async () => {},
})
