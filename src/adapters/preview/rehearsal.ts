import type { SessionId } from '../../events/ids.ts'
import type { Generator, NoImage } from '../../machines/ports/generator.ts'

/** Which refusals a session meets, in order, before the generator itself is asked. */
export type RehearsalScript = ReadonlyMap<SessionId, readonly NoImage[]>

/** A provider's refusals, as a demonstration plays them. */
export const refusals = {
  moderation: { code: 'moderation_blocked', detail: 'rehearsed: refused by moderation' },
  rateLimit: (retryAfterMs: number): NoImage => ({
    code: 'rate_limited',
    detail: 'rehearsed: too many requests',
    retryAfterMs,
  }),
} as const satisfies Record<string, NoImage | ((retryAfterMs: number) => NoImage)>

/** The generator, with refusals played for the named sessions. For demonstrations: what is not named is not touched. */
export function rehearse(generator: Generator, script: RehearsalScript): Generator {
  const played = new Map<SessionId, number>()
  return {
    name: generator.name,
    requestsPerMinute: generator.requestsPerMinute,
    async generate(request, signal) {
      signal.throwIfAborted()
      const turn = played.get(request.sessionId) ?? 0
      const refusal = script.get(request.sessionId)?.[turn]
      if (refusal === undefined) return generator.generate(request, signal)
      played.set(request.sessionId, turn + 1)
      return refusal
    },
  }
}
