import type { DestinationStream } from 'pino'
import type { ErrorFields } from './error-fields.ts'

const HIDDEN = new Set(['level', 'time', 'msg', 'error'])

/** Log lines as a person at a terminal reads them, one per entry; an error's stack below it. */
export const humanLines = (write: (text: string) => void): DestinationStream => ({
  write: (line) => write(humanLine(JSON.parse(line) as LogEntry)),
})

interface LogEntry {
  readonly level: string
  readonly time: string
  readonly msg: string
  readonly error?: string | ErrorFields
  readonly [field: string]: unknown
}

const humanLine = (entry: LogEntry): string => {
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const time = new Date(entry.time).toTimeString().slice(0, 8)
  const level = entry.level === 'info' ? '' : ` ${entry.level.toUpperCase()}`
  return `${time}${level} ${entry.msg}${fields.join('')}${errorText(entry.error)}\n`
}

const errorText = (error: LogEntry['error']): string => {
  if (error === undefined) return ''
  return typeof error === 'string' ? `: ${error}` : `\n${errorLines(error).join('\n')}`
}

const errorLines = ({ type, code, message, stack, causes = [] }: ErrorFields): string[] => [
  [type, code, message].filter((part) => part !== undefined).join(': '),
  ...(stack === undefined ? [] : [stack]),
  ...causes.flatMap((cause) => errorLines(cause).map((line) => `  ${line}`)),
]
