import type { Usage } from '../events/generation.ts'

/** USD per million tokens, by kind. */
export type TokenPrices = Readonly<NonNullable<Usage['byKind']>>

interface ImageModel {
  /** `fixed`: the three standard sizes. `free`: any within the limits of `freeSizeProblem`. */
  readonly sizes: 'fixed' | 'free'
  readonly qualities: readonly string[]
  readonly prices: TokenPrices
}

const FIXED_SIZES = ['1024x1024', '1536x1024', '1024x1536', 'auto']
const QUALITIES = ['low', 'medium', 'high', 'auto']
const MORE_QUALITIES = ['low', 'medium', 'high', 'xhigh', 'max', 'auto']

/** CONTRACT section 5. */
const prices15: TokenPrices = { textIn: 5, imageIn: 8, textOut: 10, imageOut: 32 }
/** As resellers repeat the provider's page. No price for text that comes out is known: that of 1.5 is taken. */
const prices2: TokenPrices = { textIn: 5, imageIn: 8, textOut: 10, imageOut: 30 }

const gptImage15: ImageModel = { sizes: 'fixed', qualities: QUALITIES, prices: prices15 }
const gptImage2: ImageModel = { sizes: 'free', qualities: QUALITIES, prices: prices2 }
const gptImage25: ImageModel = { sizes: 'free', qualities: MORE_QUALITIES, prices: prices2 }

/**
 * What each model takes at `POST /v1/images/edits`, from the types of the provider's own client (openai 7.57, November 2026). All
 * take up to 16 pictures and 32,000 characters. `input_fidelity` is never sent: 1.5 takes it, 2 refuses it.
 */
const models: Readonly<Record<string, ImageModel>> = {
  'gpt-image-1.5': gptImage15,
  'gpt-image-2': gptImage2,
  'gpt-image-2-2026-04-21': gptImage2,
  'gpt-image-2.5-flare': gptImage25,
  'gpt-image-2.5-flare-2026-09-08': gptImage25,
  'gpt-image-2.5-sunburst': gptImage25,
  'gpt-image-2.5-sunburst-2026-09-08': gptImage25,
}

/** What a known model costs; undefined for one that is not in the table. */
export const pricesOf = (model: string): TokenPrices | undefined => models[model]?.prices

/**
 * What is wrong with a choice of model, size and quality, one line each. A model that is newer than the table is taken unseen when
 * its prices are given.
 */
export const imageProblems = (model: string, size: string, quality: string, priced: boolean): string[] => {
  const known = models[model]
  if (known === undefined) return priced ? [] : [unknownModel(model)]
  const sizeProblem = known.sizes === 'free' ? freeSizeProblem(size) : fixedSizeProblem(size)
  return [
    ...(sizeProblem === null ? [] : [`IMAGE_SIZE=${size}: ${model} takes ${sizeProblem}`]),
    ...(known.qualities.includes(quality)
      ? []
      : [`IMAGE_QUALITY=${quality}: ${model} takes ${known.qualities.join(', ')}`]),
  ]
}

const unknownModel = (model: string): string =>
  `IMAGE_MODEL=${model} is not known: take one of ${Object.keys(models).join(', ')}, or give the prices of a newer one in IMAGE_PRICES`

const fixedSizeProblem = (size: string): string | null => (FIXED_SIZES.includes(size) ? null : FIXED_SIZES.join(', '))

const EDGE_STEP_PX = 16
const EDGE_MAX_PX = 3_840
const PIXELS = { min: 655_360, max: 8_294_400 }
const RATIO_MAX = 3

const freeSizeProblem = (size: string): string | null => {
  if (size === 'auto') return null
  const [, width = 0, height = 0] = (/^(\d{2,4})x(\d{2,4})$/.exec(size) ?? []).map(Number)
  const [short, long] = [Math.min(width, height), Math.max(width, height)]
  const pixels = width * height
  const fits =
    width % EDGE_STEP_PX === 0 &&
    height % EDGE_STEP_PX === 0 &&
    long <= EDGE_MAX_PX &&
    long <= RATIO_MAX * short &&
    pixels >= PIXELS.min &&
    pixels <= PIXELS.max
  return fits ? null : 'auto or WIDTHxHEIGHT in steps of 16, up to 3840, 1:3 to 3:1, 655360 to 8294400 pixels'
}
