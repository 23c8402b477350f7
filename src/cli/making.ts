import type { Fact } from '../events/fact.ts'
import type { Result, Usage } from '../events/generation.ts'

/** What made a session's image, for whoever asks later: one line each for maker, request, cost, words and pictures. */
export const makingLines = (facts: readonly Fact[]): string[] => {
  const completed = facts.find((fact) => fact.type === 'generation.completed')
  const asked = facts.find((fact) => fact.type === 'generation.requested')
  if (completed === undefined) return []
  const { usage, provenance } = completed.data.result
  return [
    `made   ${makerOf(completed.data.result)}`,
    `asked  ${provenance.providerRequestId ?? 'nobody noted the request'}`,
    `cost   ${dollars(usage)}${tokensOf(usage)}`,
    `words  ${wordsOf(provenance, asked?.data.prompt ?? '')}`,
    ...provenance.inputs.map((sha256, index) => `input  ${index + 1}  sha256 ${sha256}`),
  ]
}

/** Generator, model and options. */
const makerOf = ({ provenance: { generator, model, parameters } }: Result): string => {
  const options = Object.entries(parameters).map(([name, value]) => `${name} ${value}`)
  return `${generator} ${model}${options.length === 0 ? '' : ` (${options.join(', ')})`}`
}

export const dollars = ({ costUsd }: Usage): string => `$${costUsd.toFixed(6)}`

const tokensOf = ({ byKind }: Usage): string => {
  if (byKind === null) return ''
  const { textIn, imageIn, textOut, imageOut } = byKind
  return ` for tokens: text in ${textIn}, image in ${imageIn}, text out ${textOut}, image out ${imageOut}`
}

const wordsOf = ({ promptSha256, defaultPrompt }: Result['provenance'], asked: string): string => {
  if (promptSha256 === null) return 'none noted'
  return `${JSON.stringify(defaultPrompt ?? asked)}${defaultPrompt === null ? '' : ', our own'}, sha256 ${promptSha256}`
}
