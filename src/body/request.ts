import { z } from 'zod'
import { CHARTS, EASE_CM } from './charts.ts'

const PictureUrl = z.url({ protocol: /^https?$/ }).max(4_096)

/** What `POST /estimate-body` takes (CONTRACT section 6): the first two fields are today's, the others add to what is known. */
export const BodyRequest = z.strictObject({
  image_url: PictureUrl,
  height_cm: z.number().min(100).max(250),
  weight_kg: z.number().min(25).max(300).optional(),
  /** Chooses the regression and the chart; never guessed. */
  sex: z.enum(['male', 'female']).optional(),
  age: z.number().min(16).max(110).optional(),
  /** A photo from the side adds depths. */
  side_image_url: PictureUrl.optional(),
  chart: z.enum(Object.keys(CHARTS) as [keyof typeof CHARTS]).optional(),
  fit: z.enum(Object.keys(EASE_CM) as [keyof typeof EASE_CM]).optional(),
})
export type BodyRequest = z.infer<typeof BodyRequest>
