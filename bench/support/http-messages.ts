import { z } from 'zod'

/** What a served process tells: where it answers, and how it stands whenever it is asked. */
export const Told = z.discriminatedUnion('told', [
  z.object({ told: z.literal('listening'), url: z.string() }),
  /** CPU time since its start; memory after a full collection, so that only what is in use counts. */
  z.object({ told: z.literal('standing'), cpuMs: z.number(), heapMb: z.number() }),
])
export type Told = z.infer<typeof Told>
