import { styleText } from 'node:util'
import type { ReconciliationAnswer, SessionAnswer } from './answers.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours where a terminal shows them. */
export const styled = (style: Style, text: string): string => styleText(style, text)

const STATE_STYLES: Readonly<Record<SessionAnswer['state'], Style>> = {
  queued: 'gray',
  processing: 'yellow',
  completed: 'green',
  failed: 'red',
  refunded: 'magenta',
}

export const styledState = (state: SessionAnswer['state'], width = 0): string =>
  styled(STATE_STYLES[state], state.padEnd(width))

/** Columns as wide as their widest cell; the last one ends where its text does. */
export const tableOf = (rows: readonly (readonly string[])[]): string => {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

/** The first part of an id, enough to tell a handful apart. */
export const short = (id: string): string => id.slice(0, 8)

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`

/** The reconciliation of facts and credit tables, on two lines. */
export const books = ({ charged, kept, given_back, owed, open, balanced, classes }: ReconciliationAnswer): string => {
  const verdict = balanced ? styled('green', 'balanced') : styled('red', 'NOT balanced')
  const counts = Object.entries(classes).map(([name, count]) => `${count} ${name}`)
  return `  charged ${charged} = kept ${kept} + given back ${given_back} + owed ${owed} + open ${open}   ${verdict}
  sessions against the credit tables: ${counts.join(', ') || 'none'}`
}
