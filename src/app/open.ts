import type { FolderObjects } from '../adapters/folder/objects.ts'
import { openaiGenerator } from '../adapters/openai/generator.ts'
import { openEmbedded } from '../adapters/postgres/embedded.ts'
import type { FolderLock } from '../adapters/postgres/lock.ts'
import { migrate, pending } from '../adapters/postgres/migrate.ts'
import { openServer } from '../adapters/postgres/server.ts'
import type { Sql } from '../adapters/postgres/sql.ts'
import { previewGenerator } from '../adapters/preview/generator.ts'
import type { Config } from '../config.ts'
import type { Check } from '../http/parts.ts'
import type { EventLog } from '../machines/ports/event-log.ts'
import type { Generator } from '../machines/ports/generator.ts'
import type { Objects } from '../machines/ports/objects.ts'
import { withFreshSteps } from '../projections/fresh-steps.ts'
import type { Store } from '../projections/store.ts'
import type { ProcessEnvironment } from './environment.ts'
import { MigrationsPending } from './migrations-pending.ts'
import { type OpenedLog, openLog } from './open-log.ts'
import { openObjects } from './open-objects.ts'
import { type OpenedStore, openStore } from './open-store.ts'

/** Everything outside of the process that it works with, as the configuration chose it. */
export interface Opened {
  readonly log: EventLog
  readonly bridge: OpenedLog['bridge']
  readonly producersList: OpenedLog['producersList']
  readonly oldestWaiting: OpenedLog['oldestWaiting']
  readonly store: Store
  readonly objects: Objects
  /** The same objects when they lie in our own folder. */
  readonly folder: FolderObjects | null
  readonly generator: Generator
  readonly played: OpenedStore['played']
  readonly checks: readonly Check[]
  /** No other process can have log or store open: both are embedded. */
  readonly alone: boolean
  /** Where our HTTP is reached, without a slash at its end; signed URLs begin with it. */
  readonly publicUrl: () => string
  /** Notes where HTTP answers, once it does. */
  announce(url: string): void
  close(): Promise<void>
}

/** @throws FolderInUse, MigrationsPending, MigrationEdited, WrongPartitionCount, SupabaseError, or what a database answered. */
export const openAll = async (config: Config, env: ProcessEnvironment): Promise<Opened> => {
  const databases = new Databases(config, env)
  try {
    return await openOn(databases, config, env)
  } catch (error) {
    await databases.close()
    throw error
  }
}

const openOn = async (databases: Databases, config: Config, env: ProcessEnvironment): Promise<Opened> => {
  let publicUrl = config.publicUrl ?? `http://127.0.0.1:${config.port}`
  const { store, played, remedy } = await openStore(config, env, (kind) => databases.open(kind))
  const { objects, folder, checks } = await openObjects(config, env, () => publicUrl)
  const opened = await openLog(config, env, (kind) => databases.open(kind))
  const { bridge, oldestWaiting } = opened
  // Elsewhere nobody would take what is kept at hand.
  const log = config.roles.has('projector') ? withFreshSteps(opened.log) : opened.log
  return {
    log,
    bridge,
    producersList: opened.producersList,
    oldestWaiting,
    store,
    objects,
    folder,
    generator: config.openai === null ? previewGenerator() : openaiGenerator({ ...config.openai, env }),
    played,
    checks: [...checksOf(config, store, log, remedy), ...checks],
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

const checksOf = (config: Config, store: Store, log: EventLog, remedy: string): Check[] => [
  {
    name: 'database',
    remedy,
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
  readonly #env: Pick<ProcessEnvironment, 'logger' | 'meter'>
  readonly #open = new Map<'embedded' | 'postgres', Sql>()
  #lock: FolderLock | null = null

  constructor(config: Config, env: Pick<ProcessEnvironment, 'logger' | 'meter'>) {
    this.#config = config
    this.#env = env
  }

  /** The lock on the data folder, when an embedded database lies in it. */
  get lock(): FolderLock | null {
    return this.#lock
  }

  async open(kind: 'embedded' | 'postgres'): Promise<Sql> {
    const known = this.#open.get(kind)
    if (known !== undefined) return known
    const sql = kind === 'embedded' ? await this.#openFolder() : this.#openServer()
    this.#open.set(kind, sql)
    if (kind === 'embedded') await migrate(sql)
    else await refuseUnmigrated(sql)
    return sql
  }

  async close(): Promise<void> {
    for (const sql of this.#open.values()) await sql.close()
  }

  #openServer(): Sql {
    const onFault = (error: unknown) => {
      this.#env.meter.count('log_faults_total', {})
      this.#env.logger.warn({ error }, 'the database tells no news; trying again')
    }
    return openServer({ url: this.#config.databaseUrl ?? '', onFault })
  }

  async #openFolder(): Promise<Sql> {
    const sql = await openEmbedded(this.#config.dataDir)
    this.#lock = sql.lock
    return sql
  }
}

const refuseUnmigrated = async (sql: Sql): Promise<void> => {
  const names = await pending(sql)
  if (names.length > 0) throw new MigrationsPending(names, 'DATABASE_URL', 'npm run wearon -- migrate')
}
