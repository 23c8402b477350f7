import type { FailureCode } from '../../events/codes.ts'
import type { Provenance, Usage } from '../../events/generation.ts'
import type { SessionId } from '../../events/ids.ts'

/** An image made from a person and garments, as JPEG bytes. */
export interface MadeImage {
  readonly bytes: Uint8Array
  readonly usage: Usage
  readonly provenance: Provenance
}

/** A try that brought no image: an expected outcome, told by its code. `retryAfterMs`: what the provider asked for. */
export interface NoImage {
  readonly code: FailureCode
  /** For operators; never a secret, a URL or a person's data. */
  readonly detail: string
  readonly retryAfterMs?: number
}

/** Whether a try may start now. A provider that refuses the whole account lets only a probe through now and then. */
export interface Gate {
  /** Takes the right to start one try, when there is one. */
  take(): boolean
  /** Until then no try may start, in ms; 0 when one may. */
  waitMs(): number
}

/** Makes try-on images. One call is at most one paid request to a provider. */
export interface Generator {
  readonly name: string
  /** Requests a minute that the provider allows the whole fleet; null when there is no such limit. */
  readonly requestsPerMinute: number | null
  /** Asked before a try starts; absent when every try may. */
  readonly gate?: Gate
  /**
   * @param pictures person first, then garment, then accessories: as the picture source hands them out.
   * @throws the signal's reason once it aborts.
   */
  generate(
    request: { readonly sessionId: SessionId; readonly pictures: readonly Uint8Array[]; readonly prompt: string },
    signal: AbortSignal,
  ): Promise<MadeImage | NoImage>
}
