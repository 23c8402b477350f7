import { z } from 'zod'
import { StoreId, UserId } from './ids.ts'

/** Whose session it is, as the task says. Who paid is read from the charge, never from here. */
export const Owner = z.discriminatedUnion('channel', [
  z.object({ channel: z.literal('b2b'), storeId: StoreId }),
  z.object({ channel: z.literal('b2c'), userId: UserId }),
])
export type Owner = z.infer<typeof Owner>

export type Channel = Owner['channel']

/** The key by which work is shared fairly: one store or one user. */
export const tenantOf = (owner: Owner): string =>
  owner.channel === 'b2b' ? `store:${owner.storeId}` : `user:${owner.userId}`
