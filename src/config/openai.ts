import { imageProblems, pricesOf, type TokenPrices } from './image-models.ts'
import type { Variables } from './variables.ts'

const OPENAI_URL = 'https://api.openai.com/v1'

/** How the provider is asked, once it was chosen and nothing is wrong with it; null otherwise. */
export const openaiOf = (variables: Variables) => {
  const prices = pricesGiven(variables.IMAGE_PRICES) ?? pricesOf(variables.IMAGE_MODEL)
  if (variables.OPENAI_API_KEY === undefined || prices === undefined) return null
  return {
    apiKey: variables.OPENAI_API_KEY,
    /** With the API's version at its end. */
    baseUrl: variables.OPENAI_BASE_URL ?? OPENAI_URL,
    requestsPerMinute: variables.OPENAI_REQUESTS_PER_MINUTE,
    image: { model: variables.IMAGE_MODEL, size: variables.IMAGE_SIZE, quality: variables.IMAGE_QUALITY },
    prices,
  }
}

/** What is wrong for a choice of the provider, one line each; never the key itself. */
export const openaiProblems = (variables: Variables, chosen: boolean): string[] => {
  if (!chosen) return []
  const { OPENAI_API_KEY: key, IMAGE_MODEL: model, IMAGE_SIZE: size, IMAGE_QUALITY: quality } = variables
  const given = variables.IMAGE_PRICES.length > 0
  return [
    ...(key === undefined ? ['OPENAI_API_KEY is needed for GENERATOR=openai'] : []),
    ...(key !== undefined && !/^[\x21-\x7e]+$/.test(key)
      ? ['OPENAI_API_KEY holds a space, a line end or another character that no key has']
      : []),
    ...(given && pricesGiven(variables.IMAGE_PRICES) === undefined
      ? ['IMAGE_PRICES is four prices in USD per million tokens: text in, image in, text out, image out']
      : []),
    ...imageProblems(model, size, quality, given),
  ]
}

const pricesGiven = (texts: readonly string[]): TokenPrices | undefined => {
  const [textIn, imageIn, textOut, imageOut] = texts.map((text) =>
    /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN,
  )
  const all = [textIn, imageIn, textOut, imageOut]
  if (texts.length !== all.length || all.some((price) => price === undefined || Number.isNaN(price))) return undefined
  return { textIn: textIn ?? 0, imageIn: imageIn ?? 0, textOut: textOut ?? 0, imageOut: imageOut ?? 0 }
}
