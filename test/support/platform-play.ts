import type { PlatformPlay } from '../../src/adapters/memory/platform-play.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** What the platform does by itself, played on its tables as its own code does it. */
export const sqlPlatformPlay = (sql: Sql): PlatformPlay => ({
  failPush: async (session) => {
    await sql.query(
      `select public.refund_credits(user_id, 1, 'Queue error - refund') from public.generation_sessions where id = $1`,
      [session],
    )
    await sql.query(
      `select public.refund_store_credits(store_id, 1, request_id, 'Queue error - refund')
       from public.store_generation_sessions where id = $1`,
      [session],
    )
    await failRow(sql, 'generation_sessions', 'Failed to queue job', 'id = $2', session)
    await failRow(sql, 'store_generation_sessions', 'Failed to queue generation task', 'id = $2', session)
  },
  midnight: async () => {
    await sql.query(`
      with stuck as (
        update public.generation_sessions set status = 'failed', error_message = 'Generation timed out'
        where status in ('queued', 'pending', 'processing') and created_at < now() - interval '10 minutes' returning id, user_id)
      select public.refund_credits(user_id, 1, 'Stuck job recovery: session ' || id || ' timed out after 10 minutes') from stuck`)
    await sql.query(`update public.generation_sessions set generated_image_url = 'expired'
      where generated_image_url is not null and created_at < now() - interval '6 hours'`)
  },
  uninstall: (store) =>
    failRow(sql, 'store_generation_sessions', 'Store uninstalled', `store_id = $2 and status = 'queued'`, store),
  remove: async (owner) => {
    await sql.query('delete from public.users where id = $1', [owner])
    await sql.query('delete from public.stores where id = $1', [owner])
  },
  edit: async (session, status) => {
    await sql.query('update public.generation_sessions set status = $2 where id = $1', [session, status])
    await sql.query('update public.store_generation_sessions set status = $2 where id = $1', [session, status])
  },
})

const failRow = async (sql: Sql, table: string, message: string, where: string, value: string): Promise<void> => {
  await sql.query(`update public.${table} set status = 'failed', error_message = $1 where ${where}`, [message, value])
}
