/**
 * What our adapters need of a PostgreSQL, whether a server or PGlite. Parameters are `$1`, `$2`, …; JSON goes in as text.
 * Both hand values out alike: int8 as number, json parsed, bytea as bytes, timestamptz as Date, date and numeric as text.
 */
export interface Queryable {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

export interface Sql extends Queryable {
  /** Several statements without parameters, as a migration holds them. */
  script(text: string): Promise<void>
  /** Runs the work in one transaction on one connection; a rejection rolls it back. */
  transaction<Result>(
    work: (sql: Queryable & { script(text: string): Promise<void> }) => Promise<Result>,
  ): Promise<Result>
  /** Calls back for each NOTIFY on the channel; `onBreak` after the connection was lost and is back: something may be missed. */
  listen(channel: string, onNotify: (payload: string) => void, onBreak?: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}
