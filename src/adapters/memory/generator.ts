import { createHash } from 'node:crypto'
import { notNoted } from '../../events/generation.ts'
import type { SessionId } from '../../events/ids.ts'
import type { Generator, MadeImage, NoImage } from '../../machines/ports/generator.ts'

/** What a scripted call does; `hang` waits until it is aborted. A function may also throw, or wait for what it likes. */
export type ScriptedAnswer = MadeImage | NoImage | 'image' | 'hang'

export interface GeneratorCall {
  readonly sessionId: SessionId
  /** Which call for this session it is, from 1. */
  readonly number: number
}

/** A generator without pictures, timers or randomness of its own: a script says how each call ends. */
export interface MemoryGenerator extends Generator {
  /** Every call in order; each would have been a paid request. */
  readonly calls: readonly GeneratorCall[]
  callsOf(sessionId: SessionId): number
}

export interface MemoryGeneratorOptions {
  /** How a call ends; without a script, in an image. */
  readonly script?: (call: GeneratorCall) => ScriptedAnswer | Promise<ScriptedAnswer>
  readonly requestsPerMinute?: number | null
}

export function memoryGenerator({ script, requestsPerMinute = null }: MemoryGeneratorOptions = {}): MemoryGenerator {
  const calls: GeneratorCall[] = []
  const counts = new Map<SessionId, number>()
  return {
    name: 'memory',
    requestsPerMinute,
    calls,
    callsOf: (sessionId) => counts.get(sessionId) ?? 0,
    async generate({ sessionId, pictures }, signal) {
      signal.throwIfAborted()
      const call = { sessionId, number: (counts.get(sessionId) ?? 0) + 1 }
      counts.set(sessionId, call.number)
      calls.push(call)
      const answer = (await script?.(call)) ?? 'image'
      if (answer === 'hang') await aborted(signal)
      signal.throwIfAborted()
      return typeof answer === 'string' ? imageOf(call, pictures) : answer
    },
  }
}

/** Bytes that begin and end as a JPEG's do and name their call, so that a test sees which call's image was stored. */
function imageOf({ sessionId, number }: GeneratorCall, pictures: readonly Uint8Array[]): MadeImage {
  const inputs = pictures.map((picture) => createHash('sha256').update(picture).digest('hex'))
  return {
    bytes: Buffer.concat([
      Buffer.from('ffd8ff', 'hex'),
      Buffer.from(`${sessionId}/${number}`),
      Buffer.from('ffd9', 'hex'),
    ]),
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, byKind: null },
    provenance: {
      ...notNoted,
      generator: 'memory',
      model: 'memory-1',
      providerRequestId: `${sessionId}/${number}`,
      inputs,
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
