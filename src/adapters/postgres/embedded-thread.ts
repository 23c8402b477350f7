// Run as a thread: one PGlite, on the folder that it is given or in memory. Answers what it is asked, in order.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite, type Transaction } from '@electric-sql/pglite'
import { assertNever } from '../../events/assert-never.ts'
import { Line } from './embedded-line.ts'
import type { Ask, Asked, Told, ToldError } from './embedded-messages.ts'
import { Statements } from './embedded-statements.ts'
import { parsers } from './values.ts'

const BYTEA = 17

/** PGlite runs no autovacuum: without this, what was deleted keeps its place for ever, and plans know nothing of the tables. */
const VACUUM = 'vacuum (analyze)'
const VACUUM_EVERY_MS = 600_000

/** PGlite's own way with bytes takes them one by one in JavaScript, ten times as long. */
const options = {
  parsers: { ...parsers, [BYTEA]: (text: string) => Buffer.from(text.slice('\\x'.length), 'hex') },
  serializers: { [BYTEA]: (bytes: Uint8Array) => `\\x${Buffer.from(bytes).toString('hex')}` },
}

interface Open {
  readonly within: Transaction
  /** Told whether it commits. */
  readonly end: PromiseWithResolvers<boolean>
  readonly ended: Promise<void>
}

class RolledBack extends Error {
  override readonly name = 'RolledBack'
}

const folder = workerData as string | null
const database = folder === null ? await PGlite.create(options) : await PGlite.create(folder, options)
if (folder !== null) await database.exec(VACUUM)
const line = new Line()
// Tidying is tried again; what is really broken shows where the database is used.
const vacuum = () => line.run(() => database.exec(VACUUM)).catch(() => undefined)
const tidying = setInterval(() => void vacuum(), VACUUM_EVERY_MS).unref()
const statements = new Statements(database)
const transactions = new Map<number, Open>()
const listening = new Map<string, () => Promise<void>>()

const tell = (told: Told) => parentPort?.postMessage(told)

const begin = (scope: number): Promise<void> => {
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<boolean>()
  const ended = line.run(() =>
    database.transaction(async (within) => {
      transactions.set(scope, { within, end, ended })
      begun.resolve()
      if (!(await end.promise)) throw new RolledBack()
    }),
  )
  ended.catch(begun.reject)
  return begun.promise
}

const end = async (scope: number, commits: boolean): Promise<void> => {
  const open = transactions.get(scope)
  transactions.delete(scope)
  open?.end.resolve(commits)
  await open?.ended.catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error
  })
}

const within = (scope: number): Transaction => {
  const open = transactions.get(scope)
  if (open === undefined) throw new Error('the transaction has ended')
  return open.within
}

const answer = async (what: Ask): Promise<readonly unknown[]> => {
  switch (what.ask) {
    case 'query':
      return what.scope === null
        ? line.run(() => statements.query(what.text, what.values))
        : (await within(what.scope).query(what.text, [...what.values])).rows
    case 'script':
      await (what.scope === null ? line.run(() => database.exec(what.text)) : within(what.scope).exec(what.text))
      return []
    case 'begin':
      await begin(what.scope)
      return []
    case 'end':
      await end(what.scope, what.commits)
      return []
    case 'listen':
      listening.set(
        what.channel,
        await line.run(() => database.listen(what.channel, (payload) => tell({ channel: what.channel, payload }))),
      )
      return []
    case 'unlisten':
      await line.run(async () => listening.get(what.channel)?.())
      return []
    case 'close':
      clearInterval(tidying)
      await line.run(() => database.close())
      return []
    default:
      return assertNever(what)
  }
}

const errorOf = (error: unknown): ToldError => {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, code: undefined }
  const { code } = error as { code?: unknown }
  return { message: error.message, stack: error.stack, code: typeof code === 'string' ? code : undefined }
}

parentPort?.on('message', ({ id, what }: Asked) => {
  answer(what).then(
    (rows) => {
      tell({ id, rows })
      if (what.ask === 'close') parentPort?.close()
    },
    (error: unknown) => tell({ id, error: errorOf(error) }),
  )
})
tell({ id: 0, rows: [] })
