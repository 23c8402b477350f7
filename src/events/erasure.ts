import { assertNever } from './assert-never.ts'
import type { Fact } from './fact.ts'
import type { SessionId } from './ids.ts'

/** What stands where personal data stood. */
export const ERASED = 'erased'
/** No name below `.invalid` ever resolves (RFC 2606). */
const ERASED_URL = 'https://erased.invalid/'
/** What the platform writes where an image's URL was: nobody takes it for a URL. */
const EXPIRED = 'expired'

/** The fact without personal data: type, place, time, ids and credits stay, so that it is folded and counted as before. */
export const erasedFact = (fact: Fact): Fact => {
  switch (fact.type) {
    case 'generation.requested':
      return {
        ...fact,
        data: { ...withoutOriginal(fact.data), imageUrls: fact.data.imageUrls.map(() => ERASED_URL), prompt: '' },
      }
    case 'generation.rejected':
      return { ...fact, data: { ...fact.data, issues: [ERASED] } }
    case 'generation.deferred':
      return { ...fact, data: { ...fact.data, detail: '' } }
    case 'generation.failed':
      return { ...fact, data: { ...fact.data, detail: '' } }
    case 'generation.withdrawn':
      return { ...fact, data: { ...fact.data, detail: '' } }
    case 'generation.completed': {
      const { result } = fact.data
      const provenance = { ...result.provenance, providerRequestId: null, inputs: [], promptSha256: null }
      return { ...fact, data: { ...fact.data, result: { ...result, url: EXPIRED, provenance } } }
    }
    case 'refund.issued': {
      const { payer } = fact.data
      return payer.kind === 'shopper' ? { ...fact, data: { ...fact.data, payer: { ...payer, email: ERASED } } } : fact
    }
    case 'refund.retrying':
      return { ...fact, data: { ...fact.data, error: '' } }
    case 'refund.escalated':
      return { ...fact, data: { ...fact.data, error: '' } }
    case 'refund.settlement_requested':
      return { ...fact, data: { ...fact.data, why: ERASED } }
    case 'refund.settled':
      return { ...fact, data: { ...fact.data, why: ERASED } }
    case 'refund.approved':
      return { ...fact, data: { ...fact.data, ...(fact.data.why !== undefined && { why: ERASED }) } }
    // What they say is ours alone.
    case 'generation.started':
    case 'generation.cancelled':
    case 'generation.released':
    case 'generation.handed_back':
    case 'generation.imported':
    case 'refund.requested':
    case 'refund.waived':
      return fact
    default:
      return assertNever(fact)
  }
}

/** True for a fact after which its session takes no other here; one that was handed back may come again as a new one. */
export const closes = ({ type, data }: Fact): boolean =>
  CLOSING.has(type) || ('end' in data && data.end === 'completed')

/** The fact as it is kept once its session is closed: no URL in it has a query, which is what signs one. */
export const unsignedFact = (fact: Fact): Fact => {
  if (fact.type === 'generation.requested') {
    const { imageUrls, original } = fact.data
    if (original === undefined && !imageUrls.some((url) => url.includes('?'))) return fact
    return { ...fact, data: { ...withoutOriginal(fact.data), imageUrls: imageUrls.map(withoutQuery) } }
  }
  if (fact.type === 'generation.deferred' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  if (fact.type === 'generation.failed' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  if (fact.type === 'generation.withdrawn' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  return fact
}

const CLOSING: ReadonlySet<string> = new Set([
  'generation.completed',
  'generation.handed_back',
  'refund.issued',
  'refund.waived',
  'refund.settled',
])

/** The sessions of these facts, in order, whose last one closes. */
export const closedBy = (facts: readonly Fact[]): Set<SessionId> => {
  const closed = new Set<SessionId>()
  for (const fact of facts) {
    if (closes(fact)) closed.add(fact.sessionId)
    else closed.delete(fact.sessionId)
  }
  return closed
}

const withoutOriginal = <Data extends { original?: string | undefined }>(data: Data): Omit<Data, 'original'> => {
  const { original: _, ...others } = data
  return others
}

export const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? ''

const SIGNED = /(https?:\/\/[^\s?"']+)\?[^\s"']*/g

const hasQuery = ({ detail }: { readonly detail: string }): boolean => detail.includes('?')

const unsignedText = ({ detail }: { readonly detail: string }): string => detail.replaceAll(SIGNED, '$1')
