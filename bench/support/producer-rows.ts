import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { ownerId } from '../../src/projections/sessions.ts'
import type { History } from './histories.ts'

/** Makes the accounts and session rows that the platform's producer has made before a task comes. */
export const makeProducerRows = async (sql: Sql, histories: readonly History[]): Promise<void> => {
  const rows = histories.map(({ session, owner }) => ({ id: session, channel: owner.channel, owner: ownerId(owner) }))
  const from = `from jsonb_to_recordset($1) as row(id uuid, channel text, owner uuid)`
  const statements = [
    `insert into public.users (id, email) select distinct owner, owner || '@example.invalid' ${from} where channel = 'b2c'`,
    `insert into public.stores (id, shop_domain) select distinct owner, owner || '.example.invalid' ${from} where channel = 'b2b'`,
    `insert into public.generation_sessions (id, user_id, model_image_url, outfit_image_url, prompt_system, prompt_user)
     select id, owner, ${PICTURES}, '', 'keep the pattern' ${from} where channel = 'b2c'`,
    `insert into public.store_generation_sessions (id, store_id, model_image_url, outfit_image_url, prompt_system, prompt_user)
     select id, owner, ${PICTURES}, '', 'keep the pattern' ${from} where channel = 'b2b'`,
  ]
  for (const statement of statements) await sql.query(statement, [JSON.stringify(rows)])
  await sql.script('vacuum analyze')
}

const PICTURES = `'https://images.example/person/' || id || '.jpg', 'https://images.example/garment/' || id || '.jpg'`
