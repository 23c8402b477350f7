import type { IncomingHttpHeaders } from 'node:http'
import type { Page } from '../projections/page.ts'
import { readPage } from './page.ts'
import type { Answer } from './route.ts'

/** A table's columns in their order: they are added to at the end, and never renamed. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string | number | null>>

/** Rows that are asked of the database at a time. */
const PAGE_ROWS = 1_000
/** More rows than anyone can open; beyond, the answer is cut, so that nobody takes it for the whole. */
const ROWS_MAX = 2_000_000

/** What `?format=` says, else what the client accepts. */
export const wantsCsv = (format: 'csv' | 'json' | undefined, { accept = '' }: IncomingHttpHeaders): boolean =>
  format === undefined ? /\btext\/csv\b/.test(accept) : format === 'csv'

/** All pages of a list as one file, streamed as they are read. The first is read before anything is answered. */
export const csvAnswer = async <Row>(
  name: string,
  columns: Columns<Row>,
  read: (page: { cursor?: string; limit: number }) => Promise<Page<Row>>,
): Promise<Answer> => {
  const first = await readPage(read({ limit: PAGE_ROWS }))
  const headers = {
    'Content-Type': 'text/csv; charset=utf-8; header=present',
    'Content-Disposition': `attachment; filename="${name}.csv"`,
  }
  return { status: 200, headers, chunks: pagesOf(columns, first, read) }
}

async function* pagesOf<Row>(
  columns: Columns<Row>,
  first: Page<Row>,
  read: (page: { cursor: string; limit: number }) => Promise<Page<Row>>,
): AsyncGenerator<string> {
  yield line(Object.keys(columns))
  let page = first
  for (let rows = page.items.length; ; rows += page.items.length) {
    if (rows > ROWS_MAX) throw new Error(`a file of more than ${ROWS_MAX} rows`)
    yield page.items.map((row) => line(Object.values(columns).map((cell) => cell(row)))).join('')
    if (page.next === null) return
    page = await read({ cursor: page.next, limit: PAGE_ROWS })
  }
}

/** One row in RFC 4180's form. */
export const line = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\r\n`

const cell = (value: string | number | null): string => {
  if (value === null) return ''
  const text = typeof value === 'number' ? String(value) : harmless(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A spreadsheet takes a text that begins so for a formula (OWASP, CSV Injection). */
const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)
