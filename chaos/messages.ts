import { z } from 'zod'

const Partition = z.int().nonnegative()
/** Names one grant of a partition: process, partition and epoch. */
const Owner = z.string()

/** What a process under test tells the harness of its life, one JSON line each. */
export const Told = z.discriminatedUnion('told', [
  /** The first line: who speaks. A life is one process from its start to its end. */
  z.object({ told: z.literal('born'), life: z.string() }),
  z.object({ told: z.literal('granted'), partition: Partition, owner: Owner }),
  /** The owner committed for the first time, or looked and found nothing to do: the partition moves. */
  z.object({ told: z.literal('moving'), partition: Partition, owner: Owner }),
  z.object({ told: z.literal('ended'), partition: Partition, owner: Owner }),
  z.object({
    told: z.literal('committed'),
    partition: Partition,
    epoch: z.int(),
    step: z.int(),
    completed: z.int(),
    /** ms since the Unix epoch. */
    at: z.number(),
  }),
])
export type Told = z.infer<typeof Told>

/** What a process asks the harness's provider: one try of a session. */
export const TryAsked = z.object({
  session: z.string(),
  attempt: z.int(),
  owner: Owner,
  /** When the try's start was committed, ms since the Unix epoch. */
  committedAt: z.number(),
})
export type TryAsked = z.infer<typeof TryAsked>

/** The provider's answer: null for an image, or why there is none. */
export const TryAnswer = z.object({ code: z.enum(['moderation_blocked', 'provider_unavailable']).nullable() })
export type TryAnswer = z.infer<typeof TryAnswer>
