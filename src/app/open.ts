import { type FolderObjects, openFolderObjects } from '../adapters/folder/objects.ts'
import { openEmbedded } from '../adapters/postgres/embedded.ts'
import type { FolderLock } from '../adapters/postgres/lock.ts'
import { migrate, pending } from '../adapters/postgres/migrate.ts'
import { type PlatformView, platformView } from '../adapters/postgres/platform-view.ts'
import { postgresProducer } from '../adapters/postgres/producer.ts'
import { openServer } from '../adapters/postgres/server.ts'
import type { Sql } from '../adapters/postgres/sql.ts'
import { openPostgresStore } from '../adapters/postgres/store.ts'
import { previewGenerator } from '../adapters/preview/generator.ts'
import type { Config } from '../config.ts'
import type { Check } from '../http/parts.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { Generator } from '../machines/ports/generator.ts'
import type { Producer } from '../projections/producer.ts'
import type { Store } from '../projections/store.ts'
import type { ProcessEnvironment } from './environment.ts'
import { type OpenedLog, openLog } from './open-log.ts'

/** Tables are missing in a database that is not ours to change without being asked. */
export class MigrationsPending extends Error {
  override readonly name = 'MigrationsPending'

  constructor(names: readonly string[]) {
    super(
      `the database of DATABASE_URL lacks ${names.length} ${names.length === 1 ? 'migration' : 'migrations'} ` +
        `(${names.join(', ')}). Apply with: npm run wearon -- migrate`,
    )
  }
}

/** Everything outside of the process that it works with, as the configuration chose it. */
export interface Opened {
  readonly log: EventLog
  readonly bridge: OpenedLog['bridge']
  readonly store: Store
  readonly objects: FolderObjects
  readonly generator: Generator
  /** Plays the platform's producer; null on a database that may be the platform's. */
  readonly producer: Producer | null
  /** What the platform's front ends and books show. */
  readonly view: PlatformView
  readonly checks: readonly Check[]
  /** No other process can have log or store open: both are embedded. */
  readonly alone: boolean
  /** Where our HTTP is reached, without a slash at its end; signed URLs begin with it. */
  readonly publicUrl: () => string
  /** Notes where HTTP answers, once it does. */
  announce(url: string): void
  close(): Promise<void>
}

/** @throws FolderInUse, MigrationsPending, MigrationEdited, WrongPartitionCount, or what a database answered. */
export const openAll = async (config: Config, env: ProcessEnvironment): Promise<Opened> => {
  const databases = new Databases(config)
  try {
    return await openOn(databases, config, env)
  } catch (error) {
    await databases.close()
    throw error
  }
}

const openOn = async (databases: Databases, config: Config, env: ProcessEnvironment): Promise<Opened> => {
  const { clock } = env
  let publicUrl = config.publicUrl ?? `http://127.0.0.1:${config.port}`
  const sql = await databases.open(config.store)
  const opened = await openLog(config, env, (kind) => databases.open(kind))
  const { log, bridge } = opened
  // On databases of our own nobody else makes session rows.
  const store = openPostgresStore(sql, { clock, rowsOwner: 'ours' })
  const objects = await openFolderObjects({
    folder: config.objectsDir,
    publicUrl: () => publicUrl,
    now: () => clock.now(),
  })
  return {
    log,
    bridge,
    store,
    objects,
    generator: previewGenerator(),
    producer: config.store === 'embedded' ? postgresProducer(sql) : null,
    view: platformView(sql),
    checks: checksOf(config, store, log),
    alone: config.eventLog === 'embedded' && config.store === 'embedded',
    publicUrl: () => publicUrl,
    announce: (url) => {
      publicUrl = config.publicUrl ?? url
      databases.lock?.announce(url)
    },
    close: async () => {
      await store.close()
      await opened.close()
      await databases.close()
    },
  }
}

const checksOf = (config: Config, store: Store, log: EventLog): Check[] => [
  {
    name: 'database',
    remedy: `See that the database answers (STORE=${config.store}).`,
    run: () => store.queries.ping(),
  },
  {
    name: 'log',
    remedy: `See that the event log answers (EVENT_LOG=${config.eventLog}).`,
    run: async () => {
      await log.letters.list({ limit: 1 })
    },
  },
]

/** At most one embedded database and one connection to a server, whoever asks for them. */
class Databases {
  readonly #config: Config
  readonly #open = new Map<Config['store'], Sql>()
  #lock: FolderLock | null = null

  constructor(config: Config) {
    this.#config = config
  }

  /** The lock on the data folder, when an embedded database lies in it. */
  get lock(): FolderLock | null {
    return this.#lock
  }

  async open(kind: Config['store']): Promise<Sql> {
    const known = this.#open.get(kind)
    if (known !== undefined) return known
    const sql = kind === 'embedded' ? await this.#openFolder() : openServer({ url: this.#config.databaseUrl ?? '' })
    this.#open.set(kind, sql)
    if (kind === 'embedded') await migrate(sql)
    else await refuseUnmigrated(sql)
    return sql
  }

  async close(): Promise<void> {
    for (const sql of this.#open.values()) await sql.close()
  }

  async #openFolder(): Promise<Sql> {
    const sql = await openEmbedded(this.#config.dataDir)
    this.#lock = sql.lock
    return sql
  }
}

const refuseUnmigrated = async (sql: Sql): Promise<void> => {
  const names = await pending(sql)
  if (names.length > 0) throw new MigrationsPending(names)
}
