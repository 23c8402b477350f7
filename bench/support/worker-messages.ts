import { z } from 'zod'

/** What a worker process is told. */
export const Order = z.discriminatedUnion('order', [
  z.object({ order: z.literal('join'), url: z.string(), partitions: z.int() }),
  z.object({ order: z.literal('leave') }),
])
export type Order = z.infer<typeof Order>

/** What it tells: how many partitions it works, how many sessions ended since it joined, the most memory it ever held. */
export const Report = z.object({ running: z.int(), ended: z.int(), rssMb: z.number() })
export type Report = z.infer<typeof Report>

export const Left = z.literal('left')
