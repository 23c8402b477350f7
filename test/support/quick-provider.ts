import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { notNoted } from '../../src/events/generation.ts'
import type { SessionId } from '../../src/events/ids.ts'
import type { Generator, NoImage } from '../../src/machines/ports/generator.ts'
import { drawGarment } from '../../src/pictures/draw.ts'

const DELAYS_MS = [5, 10, 20, 40, 80]
const PROVENANCE = { ...notNoted, generator: 'quick', model: 'quick-1' }
const USAGE = { inputTokens: 10, outputTokens: 20, costUsd: 0.01, byKind: null }

const refused: NoImage = { code: 'moderation_blocked', detail: 'refused' }
const down: NoImage = { code: 'provider_unavailable', detail: 'down for a moment' }

/** What the provider makes of a session: always the same, so that a restart that fails one can be told. */
export const fateOf = (session: SessionId): 'image' | 'down once' | 'refused' => {
  const lot = crc32(session) % 10
  if (lot < 3) return 'refused'
  return lot === 3 ? 'down once' : 'image'
}

/**
 * A provider that answers within milliseconds and refuses some, each session by its id. As a real one it outlives the process
 * that asks it: the folder keeps whom it was down for.
 */
export const quickProvider = async (folder: string): Promise<Generator> => {
  const bytes = await drawGarment(1)
  return {
    name: 'quick',
    requestsPerMinute: null,
    generate: async ({ sessionId }, signal) => {
      await sleep(DELAYS_MS[crc32(sessionId) % DELAYS_MS.length], undefined, { signal })
      const fate = fateOf(sessionId)
      if (fate === 'refused') return refused
      if (fate === 'down once' && (await isFirst(join(folder, sessionId)))) return down
      return { bytes, usage: USAGE, provenance: PROVENANCE }
    },
  }
}

/** Whether nobody asked this before. `mkdir` answers with what it made: nothing where the folder was there. */
const isFirst = async (mark: string): Promise<boolean> => (await mkdir(mark, { recursive: true })) !== undefined
