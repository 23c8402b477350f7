import { type messages, type PGlite, parse, protocol } from '@electric-sql/pglite'

const { serialize } = protocol

/** Statements that stay prepared; ours are some dozens. */
const PREPARED_MAX = 200
/**
 * A call of one of our functions, which say themselves how they are planned. Any other statement is planned each time: a plan
 * that was made while a table was empty would scan it once it is large.
 */
const CALL = /^\s*select (?:\* from )?(?:public|wearon)\.\w+\(/
/** SQLSTATE of a prepared statement whose columns a migration has changed. */
const CHANGED = '0A000'

interface Prepared {
  readonly name: string
  /** Object ids of the parameters' types. */
  readonly types: readonly number[]
  /** What says which columns come back; none for a statement without rows. */
  readonly columns: readonly messages.BackendMessage[]
}

/**
 * Statements outside of transactions, calls of our functions prepared once: a repeat is one call into the database, where
 * PGlite's own `query` makes six, which take longer than most of our statements themselves. For one at a time.
 */
export class Statements {
  readonly #database: PGlite
  readonly #prepared = new Map<string, Prepared>()
  #named = 0

  constructor(database: PGlite) {
    this.#database = database
  }

  async query(text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    if (!CALL.test(text)) return this.#planned(text, values)
    try {
      return await this.#run(text, values)
    } catch (error) {
      if ((error as { code?: unknown }).code !== CHANGED) throw error
      this.#prepared.delete(text)
      return this.#planned(text, values)
    }
  }

  async #planned(text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    return (await this.#database.query(text, [...values])).rows
  }

  async #run(text: string, values: readonly unknown[]): Promise<readonly unknown[]> {
    const { name, types, columns } = this.#prepared.get(text) ?? (await this.#prepare(text))
    const bound = values.map((value, index) => this.#textOf(value, types[index] ?? 0))
    const messages = await this.#call([
      serialize.bind({ statement: name, values: bound }),
      serialize.execute({}),
      serialize.sync(),
    ])
    const [result] = parse.parseResults([...columns, ...messages], this.#database.parsers)
    return result?.rows ?? []
  }

  async #prepare(text: string): Promise<Prepared> {
    const keeps = this.#named < PREPARED_MAX
    // Without a name it lasts until the next one.
    const name = keeps ? `s${(this.#named += 1)}` : ''
    const messages = await this.#call([
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    ])
    const prepared = {
      name,
      types: parse.parseDescribeStatementResults(messages),
      columns: messages.filter((message) => message.name === 'rowDescription'),
    }
    if (keeps) this.#prepared.set(text, prepared)
    return prepared
  }

  async #call(parts: readonly Uint8Array[]): Promise<messages.BackendMessage[]> {
    return (await this.#database.execProtocol(Buffer.concat(parts))).messages
  }

  #textOf(value: unknown, type: number): string | null {
    if (value === null || value === undefined) return null
    const serialized = this.#database.serializers[type] ?? String
    return serialized(value)
  }
}
