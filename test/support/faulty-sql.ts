import type { Sql } from '../../src/adapters/postgres/sql.ts'

/** A connection that a test breaks. */
export interface FaultySql extends Sql {
  /** From now on every call fails as on a dead connection, and nothing is heard any more. */
  cut(): void
  /** The next call whose text holds this is carried out, and its answer is lost. */
  loseAnswerOf(text: string): void
}

export const faulty = (sql: Sql): FaultySql => {
  let isCut = false
  let loses: string | null = null
  const reach = () => {
    if (isCut) throw new Error('connection lost')
  }
  return {
    query: async (text, values) => {
      reach()
      const lost = loses !== null && text.includes(loses)
      if (lost) loses = null
      const rows = await sql.query<never>(text, values)
      if (lost) throw new Error('connection lost')
      return rows
    },
    script: async (text) => {
      reach()
      await sql.script(text)
    },
    transaction: async (work) => {
      reach()
      return sql.transaction(work)
    },
    listen: async (channel, onNotify, onBreak) => {
      reach()
      return sql.listen(channel, (payload) => (isCut ? undefined : onNotify(payload)), onBreak)
    },
    close: () => sql.close(),
    cut: () => {
      isCut = true
    },
    loseAnswerOf: (text) => {
      loses = text
    },
  }
}
