import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { openServer } from '../../src/adapters/postgres/server.ts'
import type { Sql } from '../../src/adapters/postgres/sql.ts'
import { openPostgresStore } from '../../src/adapters/postgres/store.ts'
import { archiveJournals } from '../../src/projections/archive.ts'
import { withFreshFacts } from '../../src/projections/fresh-facts.ts'
import { withFreshSteps } from '../../src/projections/fresh-steps.ts'
import { project, SERVER_BATCH_FACTS } from '../../src/projections/project.ts'
import type { Projection } from '../../src/projections/projection.ts'
import { sessions } from '../../src/projections/sessions.ts'
import type { ProjectionTables, RowPatch } from '../../src/projections/store.ts'
import type { PostgresServer } from '../../test/support/postgres-server.ts'
import type { RedisServer } from '../../test/support/redis-server.ts'
import { startEngine } from '../support/engine.ts'
import { benchEnvironment } from '../support/environment.ts'
import { publishAll, type Task } from '../support/task.ts'
import type { Contender } from './contender.ts'
import { openEmptied } from './redis-log.ts'

/**
 * The engine on the log in Redis, with the archive and projections behind it in the same process: a session has ended when
 * the platform's row says so, committed in Postgres. The producer has made the row before, as the platform's does.
 */
export const withRows = (
  name: string,
  projections: readonly Projection[],
  servers: { readonly redis: RedisServer; readonly postgres: PostgresServer },
): Contender => ({
  name,
  open: async () => {
    const sql = openServer({ url: await servers.postgres.database() })
    await migrate(sql)
    const store = openPostgresStore(sql, { rowsOwner: 'platform', clock: benchEnvironment.clock })
    const { log: opened, close } = await openEmptied(servers.redis)
    const log = withFreshSteps(opened)
    const engine = startEngine({ log, history: store.history })
    await engine.holds(log.partitions)
    const stop = new AbortController()
    const follow = { environment: benchEnvironment, signal: stop.signal, batchFacts: SERVER_BATCH_FACTS }
    const [archive, tables] = [withFreshFacts(store.archive), watched(store.tables)]
    const loops = [
      archiveJournals(log, archive, follow),
      ...projections.map((one) => project(one, { archive, tables }, follow)),
    ]
    return {
      prepare: async (tasks) => {
        await makeRows(sql, tasks)
        return () => publishAll(log, tasks)
      },
      onEnd: tables.onEnd,
      close: async () => {
        await engine.stop()
        stop.abort()
        await Promise.all(loops)
        await close()
        await store.close()
        await sql.close()
      },
    }
  },
})

/** The tables, with each session whose row was brought to its end told to a listener. */
const watched = (tables: ProjectionTables) => {
  let listener: (session: string) => void = () => {}
  const tell = (name: string, patches: readonly RowPatch[]) => {
    for (const { sessionId, set } of name === sessions.name ? patches : [])
      if (set['status'] === 'completed') listener(sessionId)
  }
  return {
    ...tables,
    apply: async (...[name, from, to, patches]: Parameters<ProjectionTables['apply']>) => {
      const outcome = await tables.apply(name, from, to, patches)
      if (outcome === 'applied') tell(name, patches)
      return outcome
    },
    onEnd: (given: typeof listener) => {
      listener = given
    },
  }
}

const makeRows = async (sql: Sql, tasks: readonly Task[]): Promise<void> => {
  const rows = JSON.stringify(tasks.map(({ id, userId }) => ({ id, user_id: userId })))
  await sql.query(
    `insert into public.users (id, email)
     select user_id, user_id || '@example.invalid' from jsonb_to_recordset($1) as task(user_id uuid)`,
    [rows],
  )
  await sql.query(
    `insert into public.generation_sessions (id, user_id, model_image_url, prompt_system)
     select id, user_id, 'https://images.example/person.jpg', '' from jsonb_to_recordset($1) as task(id uuid, user_id uuid)`,
    [rows],
  )
}
