import type { Fact, FactOf, FactType } from '../events/fact.ts'
import type { Result, Sender } from '../events/generation.ts'
import type { Payer } from '../events/refund.ts'
import { dollars } from './making.ts'
import { seconds, styled } from './text.ts'

/** A session's facts, one line each, with the time since the first. */
export const timeline = (facts: readonly Fact[]): string => {
  const startMs = Date.parse(facts[0]?.at ?? '')
  return facts.map((fact) => timelineLine(fact, startMs)).join('\n')
}

/** One fact, with the time since the session's first. */
export const timelineLine = (fact: Fact, startMs: number): string => {
  const since = `+${seconds(Date.parse(fact.at) - startMs)}`.padStart(9)
  return `  ${styled('gray', since)}  ${fact.type.padEnd(21)} ${inWords(fact)}`.trimEnd()
}

/** What a fact says beyond its name, on one line. */
export const inWords = <Type extends FactType>(fact: FactOf<Type>): string =>
  (words[fact.type] as (of: FactOf<Type>) => string)(fact)

const words: { readonly [Type in FactType]: (fact: FactOf<Type>) => string } = {
  'generation.requested': ({ data }) =>
    `${data.owner.channel}, ${data.imageUrls.length} pictures, ${data.source === 'http' ? 'over HTTP' : `from the ${data.source}`}`,
  'generation.rejected': ({ data }) => data.issues.join('; '),
  'generation.started': ({ data }) => `try ${data.attempt}`,
  'generation.deferred': ({ at, data }) =>
    `try ${data.attempt}: ${data.code}, again in ${seconds(Date.parse(data.retryAt) - Date.parse(at))}`,
  'generation.completed': ({ data: { result } }) =>
    `${result.found ? 'found in storage,' : `made in ${seconds(result.durationMs)}`} by ${madeBy(result)}`,
  'generation.failed': ({ data }) => `${data.code}: ${data.detail}`,
  'generation.cancelled': ({ data }) => `by ${senderName(data.by)}`,
  'generation.withdrawn': ({ data }) => `${data.why}: ${data.detail}`,
  'generation.released': ({ data }) => `by ${senderName(data.by)}, to the producers’ list`,
  'generation.handed_back': () => 'its task lies in the producers’ list',
  'generation.imported': ({ data }) => `${data.end}: ${data.evidence}`,
  'refund.requested': () => '',
  'refund.issued': ({ data }) =>
    `${data.credits} credit to the ${payerName(data.payer)}${data.how === 'found' ? ', found already given back' : ''}`,
  'refund.retrying': ({ data }) => `try ${data.tries}: ${data.error}`,
  'refund.waived': ({ data }) => `${data.reason}: ${data.detail}`,
  'refund.escalated': ({ data }) => `after ${data.tries} tries: ${data.error}`,
  'refund.settlement_requested': ({ data }) => `by ${senderName(data.by)}: ${data.how}, ${data.why}`,
  'refund.settled': ({ data }) => `by ${senderName(data.by)}: ${data.how}, ${data.why}`,
  'refund.approved': ({ data }) => `by ${senderName(data.by)}${data.why ? `: ${data.why}` : ''}`,
}

const madeBy = ({ provenance: { generator, model }, usage }: Result): string =>
  `${generator} ${model}${usage.costUsd === 0 ? '' : `, ${dollars(usage)}`}`

const payerName = (payer: Payer): string => (payer.kind === 'shopper' ? `shopper ${payer.email}` : payer.kind)

const senderName = (by: Sender): string => {
  if (by.role === 'operator') return by.name
  return by.role === 'tenant' ? by.tenant : 'the runtime'
}
