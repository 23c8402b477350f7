import type { JournalReaders } from '../../machines/ports/journal-readers.ts'
import { readersOf } from '../shared/reader-places.ts'
import type { Queryable } from './sql.ts'

/** Readers register and report in `wearon.log_readers`, with a row for each partition that they follow. */
export const journalReaders = (sql: Queryable): JournalReaders => ({
  list: async () => {
    const rows = await sql.query<ReaderRow>(READERS)
    return readersOf(rows.map(({ at, ...row }) => ({ ...row, waitsSince: at?.toISOString() ?? null })))
  },
  remove: async (name) =>
    (await sql.query('delete from wearon.log_readers where name = $1 returning name', [name])).length > 0,
})

interface ReaderRow {
  readonly name: string
  readonly behind: number
  /** When the oldest step that it has not behind it was written. */
  readonly at: Date | null
}

const READERS = `
  select r.name, coalesce(p.head_number - j.number + 1, 0) as behind, j.at
  from wearon.log_readers r join wearon.log_partitions p on p.partition = r.partition
  left join lateral (
    select n.number, n.at from wearon.log_journal n where n.partition = r.partition and n.number > r.number
    order by n.number limit 1
  ) j on true`
