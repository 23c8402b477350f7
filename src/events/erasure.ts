import { assertNever } from './assert-never.ts'
import type { Fact } from './fact.ts'

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
      return { ...fact, data: { ...fact.data, imageUrls: fact.data.imageUrls.map(() => ERASED_URL), prompt: '' } }
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
    case 'generation.imported':
    case 'refund.requested':
    case 'refund.waived':
      return fact
    default:
      return assertNever(fact)
  }
}

/** True for a fact after which its session takes no other. */
export const closes = ({ type, data }: Fact): boolean =>
  ['generation.completed', 'refund.issued', 'refund.waived', 'refund.settled'].includes(type) ||
  ('end' in data && data.end === 'completed')

/** The fact as it is kept once its session is closed: no URL in it has a query, which is what signs one. */
export const unsignedFact = (fact: Fact): Fact => {
  if (fact.type === 'generation.requested') {
    const { imageUrls } = fact.data
    if (!imageUrls.some((url) => url.includes('?'))) return fact
    return { ...fact, data: { ...fact.data, imageUrls: imageUrls.map(withoutQuery) } }
  }
  if (fact.type === 'generation.deferred' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  if (fact.type === 'generation.failed' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  if (fact.type === 'generation.withdrawn' && hasQuery(fact.data))
    return { ...fact, data: { ...fact.data, detail: unsignedText(fact.data) } }
  return fact
}

export const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? ''

const SIGNED = /(https?:\/\/[^\s?"']+)\?[^\s"']*/g

const hasQuery = ({ detail }: { readonly detail: string }): boolean => detail.includes('?')

const unsignedText = ({ detail }: { readonly detail: string }): string => detail.replaceAll(SIGNED, '$1')
