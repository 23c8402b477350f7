import sharp from 'sharp'
import { drawGarment } from '../../src/pictures/draw.ts'

/** Stands in the provider's own words: none of it may reach a person, a fact or a log. */
export const PRIVATE = 'sk-proj-Secret0123456789 https://platform.openai.example/account/org-private'

/** A PNG, as the provider answers by default. */
export const madePng = async (): Promise<Buffer> =>
  sharp(await drawGarment(3))
    .resize(96, 144)
    .png()
    .toBuffer()

export const USAGE = {
  input_tokens: 1_000,
  input_tokens_details: { image_tokens: 900, text_tokens: 100 },
  output_tokens: 1_600,
  output_tokens_details: { image_tokens: 1_584, text_tokens: 16 },
  total_tokens: 2_600,
}
/** CONTRACT section 5: 100 · 5 + 900 · 8 + 16 · 10 + 1,584 · 32 USD per million. */
export const COST_USD = 0.058_548

/** The body of a success. */
export const imageBody = (image: Buffer, changes: object = {}): object => ({
  created: 1_763_800_000,
  background: 'opaque',
  data: [{ b64_json: image.toString('base64') }],
  output_format: 'png',
  quality: 'medium',
  size: '1024x1536',
  usage: USAGE,
  ...changes,
})

/** The body of a refusal. */
export const errorBody = (code: string | null, type = 'invalid_request_error'): object => ({
  error: { message: `Something about ${PRIVATE}`, type, param: null, code },
})
