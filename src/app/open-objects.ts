import { type FolderObjects, openFolderObjects } from '../adapters/folder/objects.ts'
import { openSupabaseObjects } from '../adapters/supabase/objects.ts'
import type { Config } from '../config.ts'
import { assertNever } from '../events/assert-never.ts'
import type { Check } from '../http/parts.ts'
import type { Environment } from '../machines/ports/environment.ts'
import type { Objects } from '../machines/ports/objects.ts'

export interface OpenedObjects {
  readonly objects: Objects
  /** The same objects where they lie in our own folder: our HTTP serves them, and nobody else deletes the old ones. */
  readonly folder: FolderObjects | null
  readonly checks: readonly Check[]
}

const REMEDY =
  'See that the project of SUPABASE_URL answers and has the bucket virtual-tryon-images, and that ' +
  'SUPABASE_SERVICE_ROLE_KEY is the key of its service role.'

/** The object store that the configuration chose, seen to work. @throws SupabaseError */
export const openObjects = async (
  { objects: kind, objectsDir, supabase }: Config,
  env: Environment,
  publicUrl: () => string,
): Promise<OpenedObjects> => {
  switch (kind) {
    case 'supabase': {
      if (supabase === null) throw new Error('SUPABASE_URL is needed for OBJECTS=supabase')
      const objects = openSupabaseObjects(supabase, { env })
      await objects.check()
      return { objects, folder: null, checks: [{ name: 'objects', remedy: REMEDY, run: () => objects.check() }] }
    }
    case 'folder': {
      const folder = await openFolderObjects({ folder: objectsDir, publicUrl, now: () => env.clock.now() })
      return { objects: folder, folder, checks: [] }
    }
    default:
      return assertNever(kind)
  }
}
