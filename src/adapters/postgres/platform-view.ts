import type { SessionId } from '../../events/ids.ts'
import type { Owner } from '../../events/owner.ts'
import type { Queryable } from './sql.ts'

/** What the platform's front ends and its books show, read from its own tables. */
export interface PlatformView {
  /** The session row as front ends watch it; null when there is none. */
  row(session: SessionId): Promise<{ status: string; imageUrl: string | null; errorMessage: string | null } | null>
  /** Credits of a user, of a store, or of a store's shopper; null without a balance. */
  balance(owner: Owner, shopperEmail?: string): Promise<number | null>
}

/** Reads the platform's tables, for whoever checks what became of sessions there. */
export const platformView = (sql: Queryable): PlatformView => ({
  row: async (session) => {
    const columns = 'status, generated_image_url as "imageUrl", error_message as "errorMessage"'
    const [row] = await sql.query<{ status: string; imageUrl: string | null; errorMessage: string | null }>(
      `select ${columns} from public.generation_sessions where id = $1
       union all select ${columns} from public.store_generation_sessions where id = $1`,
      [session],
    )
    return row ?? null
  },
  balance: async (owner, shopperEmail) => {
    const [row] = await sql.query<{ balance: number }>(...balanceQuery(owner, shopperEmail))
    return row?.balance ?? null
  },
})

const balanceQuery = (owner: Owner, shopperEmail: string | undefined): [text: string, values: string[]] => {
  if (owner.channel === 'b2c') return ['select balance from public.user_credits where user_id = $1', [owner.userId]]
  if (shopperEmail === undefined)
    return ['select balance from public.store_credits where store_id = $1', [owner.storeId]]
  const text = 'select balance from public.store_shopper_credits where store_id = $1 and shopper_email = lower($2)'
  return [text, [owner.storeId, shopperEmail]]
}
