import { postgresProducer } from '../../src/adapters/postgres/producer.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import { ownerId } from '../../src/projections/sessions.ts'
import type { RowsOwner, Store } from '../../src/projections/store.ts'
import { realClock } from './clock.ts'
import { sqlPlatformPlay } from './platform-play.ts'
import type { RowSeen, StoreWorld } from './store-world.ts'
import { sqlTamper } from './tamper.ts'

/** A migrated database, opened by as many "processes" as a test wants, each through a plain connection unless told otherwise. */
export const sqlStoreWorld = (
  connect: () => Sql,
  onClose: () => Promise<void>,
  openStore = (rowsOwner: RowsOwner) => openPostgresStore(connect(), { rowsOwner, clock: realClock }),
): StoreWorld => {
  const sql = connect()
  const stores: Store[] = []
  const number = async (text: string, values: readonly unknown[]) =>
    (await sql.query<{ number: number }>(text, values))[0]?.number ?? Number.NaN
  return {
    open: (rowsOwner = 'platform') => {
      const store = openStore(rowsOwner)
      stores.push(store)
      return store
    },
    producer: postgresProducer(sql),
    play: sqlPlatformPlay(sql),
    tamper: sqlTamper(sql),
    balance: (owner, email) => {
      if (email !== undefined) {
        const text = `select balance as number from public.store_shopper_credits where store_id = $1 and shopper_email = lower($2)`
        return number(text, [ownerId(owner), email])
      }
      const [table, key] = owner.channel === 'b2b' ? ['store_credits', 'store_id'] : ['user_credits', 'user_id']
      return number(`select balance as number from public.${table} where ${key} = $1`, [ownerId(owner)])
    },
    refunds: async (owner) => {
      const [table, key] =
        owner.channel === 'b2b' ? ['store_credit_transactions', 'store_id'] : ['credit_transactions', 'user_id']
      const text = `select description from public.${table} where ${key} = $1 and type = 'refund' order by created_at`
      return (await sql.query<{ description: string }>(text, [ownerId(owner)])).map(({ description }) => description)
    },
    row: async (session) => {
      const columns = `status, state, error_message as "errorMessage", generated_image_url as "imageUrl", seq, origin`
      const [row] = await sql.query<RowSeen>(
        `select ${columns} from public.generation_sessions where id = $1
         union all select ${columns} from public.store_generation_sessions where id = $1`,
        [session],
      )
      return row ?? null
    },
    age: async (session, ms) => {
      const older = `set created_at = created_at - make_interval(secs => $2) where id = $1`
      await sql.query(`update public.generation_sessions ${older}`, [session, ms / 1_000])
      await sql.query(`update public.store_generation_sessions ${older}`, [session, ms / 1_000])
    },
    damage: async (session) => {
      await sql.query('update public.generation_sessions set attempts = 99 where id = $1', [session])
      await sql.query('update public.store_generation_sessions set attempts = 99 where id = $1', [session])
    },
    dropRow: async (session) => {
      await sql.query('delete from public.generation_sessions where id = $1', [session])
      await sql.query('delete from public.store_generation_sessions where id = $1', [session])
    },
    dropBalance: async (owner) => {
      await sql.query('delete from public.user_credits where user_id = $1', [ownerId(owner)])
      await sql.query('delete from public.store_credits where store_id = $1', [ownerId(owner)])
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await onClose()
    },
  }
}
